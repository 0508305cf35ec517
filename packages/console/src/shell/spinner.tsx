// For waits without a shape of their own. Appears only when the wait gets long.

import type { ReactNode } from 'react';
import './spinner.css';

export function Spinner({ label }: { readonly label: string }): ReactNode {
  return (
    <div className="spinner" role="status">
      <span className="visually-hidden">{label}</span>
    </div>
  );
}
