// All that is known of one file, with its picture, why it was refused where it was, and what can be done with it.

import { Dialog } from '@base-ui/react/dialog';
import { briefName, type FileEntry, shownName, shownSize } from '@stowage/contract';
import { useStowage } from '@stowage/react';
import { Download, ExternalLink, Link2, RotateCw, Trash2, X } from 'lucide-react';
import { type ReactNode, useRef, useState } from 'react';
import { formatExactMoment } from '../format/time.ts';
import { useSession } from '../session/session-context.ts';
import { usePageTitle } from '../shell/page-title.ts';
import { KindGlyph } from './file-glyph.tsx';
import { opensInBrowser } from './file-kind.ts';
import { canBeDeleted, StateBadge } from './state-badge.tsx';
import type { FileActions } from './use-file-actions.ts';
import '../theme/dialog.css';
import './file-details.css';

interface FileDetailsProps {
  /** `undefined`: nothing is shown. */
  readonly file: FileEntry | undefined;
  readonly actions: FileActions;
  readonly onClose: () => void;
}

const linkSeconds = 24 * 3600;

export function FileDetails({ file, actions, onClose }: FileDetailsProps): ReactNode {
  const removing = useRef<FileEntry | undefined>(undefined);
  usePageTitle(file === undefined ? undefined : shownName(briefName(file.name)));

  // The open dialog holds the focus, which removal moves to the next row: so it waits until the dialog has closed.
  function onOpenChangeComplete(isOpen: boolean): void {
    const gone = removing.current;
    if (isOpen || gone === undefined) return;
    removing.current = undefined;
    void actions.remove(gone);
  }

  return (
    <Dialog.Root
      open={file !== undefined}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      onOpenChangeComplete={onOpenChangeComplete}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop" />
        <Dialog.Popup className="dialog">
          {file === undefined ? null : (
            <>
              <header className="dialog-head">
                <Dialog.Title className="dialog-title">
                  <bdi>{shownName(file.name)}</bdi>
                </Dialog.Title>
                {/* Without a tooltip: it has the focus first, and Escape would close its tooltip instead of the dialog. */}
                <Dialog.Close className="icon-button" aria-label="Close">
                  <X size={18} aria-hidden="true" />
                </Dialog.Close>
              </header>
              <Picture key={file.versionId} file={file} />
              <Standing file={file} />
              <Facts file={file} />
              <DetailsActions
                file={file}
                actions={actions}
                onRemove={() => {
                  removing.current = file;
                  onClose();
                }}
              />
            </>
          )}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Picture({ file }: { readonly file: FileEntry }): ReactNode {
  const { client } = useStowage();
  const [isBroken, setBroken] = useState(false);
  if (file.state === 'ready' && file.previews.includes('thumbnail') && !isBroken) {
    return (
      <div className="details-picture">
        <img
          src={client.previewUrl(file.id, 'thumbnail')}
          alt={`Preview of ${shownName(file.name)}`}
          onError={() => setBroken(true)}
        />
      </div>
    );
  }
  if (file.state === 'ready' && file.excerpt !== undefined && file.excerpt !== '') {
    return <pre className="details-excerpt">{file.excerpt}</pre>;
  }
  return (
    <div className="details-picture" data-empty="true">
      <KindGlyph contentType={file.contentType} />
    </div>
  );
}

const advice: Readonly<Partial<Record<FileEntry['state'], string>>> = {
  rejected:
    'Nobody can download it. Delete it here; if it is what you wanted to keep, upload it under its right name and type.',
  quarantined: 'Nobody can download it. An owner can have it checked again, or release it.',
  'scan-failed': 'It is stored, and nobody can download it until it was checked. An owner can have it checked again.',
};
/** For who may judge it. */
const judgesAdvice: typeof advice = {
  quarantined: 'Nobody can download it. If the scanner is mistaken, have it checked again, or release it by the API.',
  'scan-failed':
    'It is stored, and nobody can download it until it was checked. Have it checked again, or release it by the API.',
};

/** How it stands where it is not simply there. */
function Standing({ file }: { readonly file: FileEntry }): ReactNode {
  const { rights } = useSession();
  if (file.state === 'ready') return null;
  const next = (rights.includes('quarantine:write') ? judgesAdvice : advice)[file.state] ?? advice[file.state];
  return (
    <div className="details-standing">
      <StateBadge state={file.state} />
      {file.reason === undefined ? null : <p>{file.reason}</p>}
      {next === undefined ? null : <p className="details-advice">{next}</p>}
    </div>
  );
}

function Facts({ file }: { readonly file: FileEntry }): ReactNode {
  const { width, height, folder, tags, purgeAt, unscanned } = file;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Size', sizeWords(file.sizeBytes)],
    ['Type', file.contentType],
    ['Pixels', width === undefined || height === undefined ? undefined : `${width} × ${height}`],
    ['Folder', folder.length === 0 ? undefined : shownName(folder.join(' / '))],
    ['Tags', tags.length === 0 ? undefined : shownName(tags.join(', '))],
    ['Added', formatExactMoment(file.createdAt)],
    ['Malware', unscanned === undefined ? undefined : `Not scanned: ${unscanned}`],
    ['Removed for good', purgeAt === undefined ? undefined : formatExactMoment(purgeAt)],
  ];
  return (
    <dl className="details-facts">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

/** In a unit that is read at a glance, and exactly where that is another. */
function sizeWords(sizeBytes: number): string {
  const short = shownSize(sizeBytes);
  return sizeBytes < 1000 ? short : `${short} (${sizeBytes.toLocaleString()} bytes)`;
}

interface DetailsActionsProps {
  readonly file: FileEntry;
  readonly actions: FileActions;
  readonly onRemove: () => void;
}

function DetailsActions({ file, actions, onRemove }: DetailsActionsProps): ReactNode {
  const { rights } = useSession();
  const isSetAside = file.state === 'quarantined' || file.state === 'scan-failed';
  const isReady = file.state === 'ready';
  return (
    <div className="details-actions">
      {isReady && opensInBrowser(file.contentType) ? (
        <button type="button" className="button" data-kind="primary" onClick={() => actions.open(file)}>
          <ExternalLink size={17} aria-hidden="true" /> Open in a new tab
        </button>
      ) : null}
      {isReady ? (
        <>
          <button type="button" className="button" onClick={() => actions.download(file)}>
            <Download size={17} aria-hidden="true" /> Download
          </button>
          <button type="button" className="button" onClick={() => void actions.copyLink(file, linkSeconds)}>
            <Link2 size={17} aria-hidden="true" /> Copy link for 1 day
          </button>
        </>
      ) : null}
      {isSetAside && rights.includes('quarantine:write') ? (
        <button type="button" className="button" onClick={() => void actions.checkAgain(file)}>
          <RotateCw size={17} aria-hidden="true" /> Check again
        </button>
      ) : null}
      {canBeDeleted(file) ? (
        <button type="button" className="button" data-kind="danger" onClick={onRemove}>
          <Trash2 size={17} aria-hidden="true" /> Delete
        </button>
      ) : null}
    </div>
  );
}
