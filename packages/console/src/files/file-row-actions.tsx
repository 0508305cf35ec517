// The buttons at the end of a row, and all of it once more as a menu.

import { Menu } from '@base-ui/react/menu';
import { type FileEntry, shownName } from '@stowage/contract';
import { Download, Ellipsis, ExternalLink, Info, Link2, Trash2 } from 'lucide-react';
import { type ReactNode, useRef } from 'react';
import { IconButton } from '../shell/icon-button.tsx';
import { opensInBrowser } from './file-kind.ts';
import { canBeDeleted } from './state-badge.tsx';
import type { FileActions } from './use-file-actions.ts';

interface FileRowActionsProps {
  readonly file: FileEntry;
  readonly actions: FileActions;
  /** Within the row that has the focus, its buttons can be reached by Tab. */
  readonly isActive: boolean;
}

const hourSeconds = 3600;
const daySeconds = 24 * hourSeconds;
const linkSpans = [
  { seconds: hourSeconds, label: 'Copy link for 1 hour' },
  { seconds: daySeconds, label: 'Copy link for 1 day' },
  { seconds: 7 * daySeconds, label: 'Copy link for 7 days' },
] as const;

export function FileRowActions({ file, actions, isActive }: FileRowActionsProps): ReactNode {
  const tabIndex = isActive ? 0 : -1;
  return (
    <>
      {file.state === 'ready' ? (
        <>
          <IconButton
            label={`Download ${shownName(file.name)}`}
            hint="Download"
            tabIndex={tabIndex}
            onClick={() => actions.download(file)}
          >
            <Download size={17} aria-hidden="true" />
          </IconButton>
          <IconButton
            label={`Copy a link to ${shownName(file.name)}, good for one day`}
            hint="Copy link for 1 day"
            tabIndex={tabIndex}
            onClick={() => void actions.copyLink(file, daySeconds)}
          >
            <Link2 size={17} aria-hidden="true" />
          </IconButton>
          <IconButton
            label={`Delete ${shownName(file.name)}`}
            hint="Delete"
            tabIndex={tabIndex}
            onClick={() => void actions.remove(file)}
          >
            <Trash2 size={17} aria-hidden="true" />
          </IconButton>
          <FileMenu file={file} actions={actions} tabIndex={tabIndex} />
        </>
      ) : (
        <UnreadyActions file={file} actions={actions} tabIndex={tabIndex} />
      )}
    </>
  );
}

/** Of what cannot be downloaded: why, and away with it. */
function UnreadyActions({ file, actions, tabIndex }: FileMenuProps): ReactNode {
  return (
    <>
      <IconButton
        label={`Details of ${shownName(file.name)}`}
        hint="Details"
        tabIndex={tabIndex}
        onClick={() => actions.show(file)}
      >
        <Info size={17} aria-hidden="true" />
      </IconButton>
      {canBeDeleted(file) ? (
        <IconButton
          label={`Delete ${shownName(file.name)}`}
          hint="Delete"
          data-narrow="true"
          tabIndex={tabIndex}
          onClick={() => void actions.remove(file)}
        >
          <Trash2 size={17} aria-hidden="true" />
        </IconButton>
      ) : null}
    </>
  );
}

interface FileMenuProps {
  readonly file: FileEntry;
  readonly actions: FileActions;
  readonly tabIndex: number;
}

function FileMenu({ file, actions, tabIndex }: FileMenuProps): ReactNode {
  const isRemoving = useRef(false);

  // An open menu holds the focus, which removal moves to the next row: so it waits until the menu has closed.
  function onOpenChangeComplete(isOpen: boolean): void {
    if (isOpen || !isRemoving.current) return;
    isRemoving.current = false;
    void actions.remove(file);
  }

  return (
    <Menu.Root onOpenChangeComplete={onOpenChangeComplete}>
      <Menu.Trigger
        className="icon-button file-menu-button"
        aria-label={`More for ${shownName(file.name)}`}
        tabIndex={tabIndex}
      >
        <Ellipsis size={17} aria-hidden="true" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-place" sideOffset={4} align="end">
          <Menu.Popup className="menu">
            <div className="menu-note">
              <strong>
                <bdi>{shownName(file.name)}</bdi>
              </strong>
            </div>
            <div className="menu-rule" />
            <Menu.Item className="menu-item" onClick={() => actions.show(file)}>
              <Info size={17} aria-hidden="true" /> Details
            </Menu.Item>
            {opensInBrowser(file.contentType) ? (
              <Menu.Item className="menu-item" onClick={() => actions.open(file)}>
                <ExternalLink size={17} aria-hidden="true" /> Open in a new tab
              </Menu.Item>
            ) : null}
            <Menu.Item className="menu-item" onClick={() => actions.download(file)}>
              <Download size={17} aria-hidden="true" /> Download
            </Menu.Item>
            <div className="menu-rule" />
            {linkSpans.map(({ seconds, label }) => (
              <Menu.Item key={seconds} className="menu-item" onClick={() => void actions.copyLink(file, seconds)}>
                <Link2 size={17} aria-hidden="true" /> {label}
              </Menu.Item>
            ))}
            <div className="menu-rule" />
            <Menu.Item
              className="menu-item"
              data-danger="true"
              onClick={() => {
                isRemoving.current = true;
              }}
            >
              <Trash2 size={17} aria-hidden="true" /> Delete
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
