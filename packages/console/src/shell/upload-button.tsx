// Chooses files, or by the arrow beside it a folder.

import { Menu } from '@base-ui/react/menu';
import { type DroppedFiles, useFilePicker } from '@stowage/react';
import { ChevronDown, FileUp, FolderUp, Upload } from 'lucide-react';
import type { ReactNode } from 'react';
import './upload-button.css';

export function UploadButton({ onFiles }: { readonly onFiles: (files: DroppedFiles) => void }): ReactNode {
  const pick = useFilePicker(onFiles);
  return (
    <div className="upload-button">
      <button type="button" className="button" data-kind="primary" onClick={() => pick()}>
        <Upload size={17} aria-hidden="true" />
        <span>Upload</span>
      </button>
      <Menu.Root>
        <Menu.Trigger className="button" data-kind="primary" aria-label="More ways to upload">
          <ChevronDown size={16} aria-hidden="true" />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className="menu-place" sideOffset={6} align="end">
            <Menu.Popup className="menu">
              <Menu.Item className="menu-item" onClick={() => pick()}>
                <FileUp size={17} aria-hidden="true" /> Upload files
              </Menu.Item>
              <Menu.Item className="menu-item" onClick={() => pick({ folder: true })}>
                <FolderUp size={17} aria-hidden="true" /> Upload a folder
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </div>
  );
}
