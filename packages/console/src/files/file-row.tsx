// One file of the list.

import type { FileEntry } from '@stowage/contract';
import { memo, type ReactNode } from 'react';
import { formatBytes } from '../format/bytes.ts';
import { formatExactMoment, formatMoment } from '../format/time.ts';
import { FileGlyph } from './file-glyph.tsx';
import { FileRowActions } from './file-row-actions.tsx';
import { StateBadge } from './state-badge.tsx';
import type { FileActions } from './use-file-actions.ts';

interface FileRowProps {
  readonly file: FileEntry;
  readonly index: number;
  /** Distance from the top of the list, in pixels. */
  readonly offset: number;
  readonly isActive: boolean;
  readonly actions: FileActions;
  readonly nowMs: number;
}

export const FileRow = memo(function FileRow(props: FileRowProps): ReactNode {
  const { file, index, offset, isActive, actions, nowMs } = props;
  const size = formatBytes(file.sizeBytes);
  const when = formatMoment(file.createdAt, nowMs);
  return (
    // The header is the grid's first row. The position is set through the DOM, which the content policy allows.
    <tr
      className="file-row"
      aria-rowindex={index + 2}
      data-index={index}
      data-ready={file.state === 'ready'}
      tabIndex={isActive ? 0 : -1}
      style={{ transform: `translateY(${offset}px)` }}
      onDoubleClick={() => actions.open(file)}
    >
      <td className="file-cell-name">
        <FileGlyph file={file} />
        <div className="file-name">
          <div className="file-name-line">
            <span className="file-name-text" title={file.name}>
              {file.name}
            </span>
            <StateBadge state={file.state} reason={file.reason} />
          </div>
          {file.folder.length === 0 ? null : <div className="file-folder">{file.folder.join(' / ')}</div>}
          <div className="file-facts">
            {size} · {when}
          </div>
        </div>
      </td>
      <td className="file-cell-size">{size}</td>
      <td className="file-cell-date">
        <time dateTime={file.createdAt} title={formatExactMoment(file.createdAt)}>
          {when}
        </time>
      </td>
      <td className="file-cell-actions">
        <FileRowActions file={file} actions={actions} isActive={isActive} />
      </td>
    </tr>
  );
});
