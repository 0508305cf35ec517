// Shown while files hover over the page: anywhere will do.

import { Upload } from 'lucide-react';
import type { ReactNode } from 'react';
import './drop-overlay.css';

export function DropOverlay({ isShown }: { readonly isShown: boolean }): ReactNode {
  return (
    <div className="drop-overlay" data-shown={isShown} aria-hidden="true">
      <div className="drop-overlay-card">
        <Upload size={36} strokeWidth={1.6} />
        <strong>Drop to upload</strong>
        <span>Files and whole folders</span>
      </div>
    </div>
  );
}
