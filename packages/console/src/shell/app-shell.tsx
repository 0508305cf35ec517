// The frame of every page: header, drop target, upload tray; and the way to the files for who uses the keyboard.

import { type DroppedFiles, useDropTarget, useStowage } from '@stowage/react';
import { type ReactNode, useCallback } from 'react';
import { useNotices } from '../notices/use-notices.ts';
import { UploadAnnouncer } from '../uploads/upload-announcer.tsx';
import { UploadTray } from '../uploads/upload-tray.tsx';
import { AppHeader } from './app-header.tsx';
import { DropOverlay } from './drop-overlay.tsx';
import './app-shell.css';

export function AppShell({ children }: { readonly children: ReactNode }): ReactNode {
  const { uploads } = useStowage();
  const { say, sayFailure } = useNotices();

  const add = useCallback(
    ({ requests, truncated }: DroppedFiles) => {
      if (requests.length === 0) say({ title: 'There were no files in it.' });
      if (truncated) {
        say({ title: 'Only the first 10,000 files were taken.', detail: 'Add the others when these are done.' });
      }
      uploads.add(requests);
    },
    [uploads, say],
  );
  const { isOver } = useDropTarget({
    onDrop: add,
    onError: (error) => sayFailure('The folder could not be read.', error),
  });

  return (
    <>
      <a className="skip-link" href="#files">
        Skip to the files
      </a>
      <AppHeader onFiles={add} />
      <main id="files" className="page" tabIndex={-1}>
        {children}
      </main>
      <UploadTray />
      <UploadAnnouncer />
      <DropOverlay isShown={isOver} />
    </>
  );
}
