// The bar at the top: where you are, search, upload, settings.

import type { DroppedFiles } from '@stowage/react';
import type { ReactNode } from 'react';
import { AccountMenu } from './account-menu.tsx';
import { Mark } from './mark.tsx';
import { SearchBox } from './search-box.tsx';
import { ThemeToggle } from './theme-toggle.tsx';
import { UploadButton } from './upload-button.tsx';
import './app-header.css';

export function AppHeader({ onFiles }: { readonly onFiles: (files: DroppedFiles) => void }): ReactNode {
  return (
    <header className="app-header">
      <div className="app-header-inner">
        <a className="app-name" href="/" aria-label="Stowage, all files">
          <Mark />
          <span aria-hidden="true">Stowage</span>
        </a>
        <SearchBox />
        <div className="app-header-actions">
          <UploadButton onFiles={onFiles} />
          <ThemeToggle />
          <AccountMenu />
        </div>
      </div>
    </header>
  );
}
