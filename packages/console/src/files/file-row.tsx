// One file of the list.

import { type FileEntry, shownName, shownSize } from '@stowage/contract';
import { type MouseEvent, memo, type ReactNode } from 'react';
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
  const size = shownSize(file.sizeBytes);
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
      onClick={(event) => {
        if (isPlainClick(event)) actions.show(file);
      }}
    >
      <td className="file-cell-name">
        <FileGlyph file={file} />
        <div className="file-name">
          <div className="file-name-line">
            <bdi className="file-name-text" title={shownName(file.name)}>
              {shownName(file.name)}
            </bdi>
            <StateBadge state={file.state} />
          </div>
          {file.reason === undefined ? null : <div className="file-reason">{file.reason}</div>}
          {file.reason !== undefined || file.folder.length === 0 ? null : (
            <div className="file-folder">{shownName(file.folder.join(' / '))}</div>
          )}
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

/** Not on one of its buttons or their menus, which come here through React, and not the end of choosing text. */
function isPlainClick({ target, currentTarget }: MouseEvent<HTMLElement>): boolean {
  if (!(target instanceof Element) || !currentTarget.contains(target)) return false;
  if (target.closest('button, a') !== null) return false;
  return window.getSelection()?.isCollapsed !== false;
}
