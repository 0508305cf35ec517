// One upload of the tray.

import type { UploadItem, UploadList } from '@stowage/client';
import { shownName } from '@stowage/contract';
import { Check, Pause, Play, RotateCw, X } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { KindGlyph } from '../files/file-glyph.tsx';
import { IconButton } from '../shell/icon-button.tsx';
import { ProgressBar } from './progress-bar.tsx';
import { describeItem, describeTimeLeft, percent } from './upload-words.ts';

interface UploadRowProps {
  readonly item: UploadItem;
  readonly uploads: UploadList;
  /** Distance from the top of the list, in pixels. */
  readonly offset: number;
  /** Told of the row, whose height depends on its words. Stable. */
  readonly measure: (row: HTMLLIElement | null) => void;
  readonly position: number;
  readonly total: number;
}

export const UploadRow = memo(function UploadRow({
  item,
  uploads,
  offset,
  measure,
  position,
  total,
}: UploadRowProps): ReactNode {
  const { state, progress } = item;
  const isOver = state === 'ready' || state === 'failed';
  const isIndeterminate = state === 'confirming' || state === 'checking';
  const isStill = state === 'paused' || state === 'queued' || item.trouble !== undefined;
  return (
    <li
      ref={measure}
      data-index={position - 1}
      className="upload-row"
      data-state={state}
      aria-posinset={position}
      aria-setsize={total}
      style={{ transform: `translateY(${offset}px)` }}
    >
      <KindGlyph contentType={item.contentType} />
      <div className="upload-row-text">
        <div className="upload-row-line">
          <bdi className="upload-row-name" title={shownName([...item.folder, item.name].join(' / '))}>
            {shownName(item.name)}
          </bdi>
          <span className="upload-row-left">{describeTimeLeft(item)}</span>
        </div>
        <div className="upload-row-detail">{describeItem(item)}</div>
        {isOver ? null : (
          <ProgressBar
            label={`Upload of ${shownName(item.name)}`}
            value={isIndeterminate ? null : percent(progress.sentBytes, progress.totalBytes)}
            tone={isStill ? 'still' : 'moving'}
          />
        )}
      </div>
      <div className="upload-row-actions">
        <UploadRowActions item={item} uploads={uploads} />
      </div>
    </li>
  );
});

function UploadRowActions({ item, uploads }: Pick<UploadRowProps, 'item' | 'uploads'>): ReactNode {
  const { key, state, error } = item;
  const name = shownName(item.name);
  switch (state) {
    case 'queued':
    case 'starting':
    case 'sending':
      return (
        <>
          <IconButton label={`Pause ${name}`} hint="Pause" onClick={() => uploads.pause(key)}>
            <Pause size={16} aria-hidden="true" />
          </IconButton>
          <CancelButton name={name} onCancel={() => uploads.cancel(key)} />
        </>
      );
    case 'paused':
      return (
        <>
          <IconButton label={`Resume ${name}`} hint="Resume" onClick={() => uploads.resume(key)}>
            <Play size={16} aria-hidden="true" />
          </IconButton>
          <CancelButton name={name} onCancel={() => uploads.cancel(key)} />
        </>
      );
    case 'failed':
      return (
        <>
          {error === undefined || isFinal(error.code) ? null : (
            <IconButton label={`Try ${name} again`} hint="Try again" onClick={() => uploads.resume(key)}>
              <RotateCw size={16} aria-hidden="true" />
            </IconButton>
          )}
          <IconButton label={`Remove ${name} from the list`} hint="Remove" onClick={() => uploads.remove(key)}>
            <X size={16} aria-hidden="true" />
          </IconButton>
        </>
      );
    case 'ready':
      return (
        <span className="upload-row-done">
          <Check size={16} strokeWidth={2.5} aria-hidden="true" />
          <span className="visually-hidden">Uploaded</span>
        </span>
      );
    case 'confirming':
    case 'checking':
    case 'cancelled':
      return null;
  }
}

function CancelButton({ name, onCancel }: { readonly name: string; readonly onCancel: () => void }): ReactNode {
  return (
    <IconButton label={`Cancel ${name}`} hint="Cancel" onClick={onCancel}>
      <X size={16} aria-hidden="true" />
    </IconButton>
  );
}

const finalCodes: ReadonlySet<string> = new Set([
  'rejected',
  'quarantined',
  'scan-failed',
  'file-unreadable',
  'file-too-large',
  'type-not-allowed',
  'wrong-file',
]);

/** Trying the same bytes again would end the same way. */
function isFinal(code: string): boolean {
  return finalCodes.has(code);
}
