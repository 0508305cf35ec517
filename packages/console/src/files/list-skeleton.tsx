// The shape of the list while it is on its way.

import type { ReactNode } from 'react';
import './list-skeleton.css';

const rows = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;

export function ListSkeleton(): ReactNode {
  return (
    <div className="list-skeleton" role="status">
      <span className="visually-hidden">Loading files</span>
      {rows.map((row) => (
        <div key={row} className="list-skeleton-row" aria-hidden="true">
          <span />
          <span />
          <span />
        </div>
      ))}
    </div>
  );
}
