// The uploads of the tray; of a thousand only those in view exist.

import type { UploadItem, UploadList } from '@stowage/client';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useRef } from 'react';
import { UploadRow } from './upload-row.tsx';

/** The least, as upload-tray.css has it: why an upload failed may take several lines. */
const rowPixels = 68;

interface UploadRowsProps {
  readonly items: readonly UploadItem[];
  readonly uploads: UploadList;
}

export function UploadRows({ items, uploads }: UploadRowsProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowPixels,
    overscan: 4,
    getItemKey: (index) => items[index]?.key ?? index,
  });
  return (
    <div ref={box} className="upload-rows">
      <ul className="upload-rows-inner" aria-label="Uploads" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, key, start }) => {
          const item = items[index];
          return item === undefined ? null : (
            <UploadRow
              key={key}
              measure={virtualizer.measureElement}
              item={item}
              uploads={uploads}
              offset={start}
              position={index + 1}
              total={items.length}
            />
          );
        })}
      </ul>
    </div>
  );
}
