// For the first look, when the service cannot be reached at all.

import type { ReactNode } from 'react';
import { Mark } from '../shell/mark.tsx';
import './sign-in-page.css';

interface ServiceSilentProps {
  readonly isBusy: boolean;
  readonly onRetry: () => void;
}

export function ServiceSilent({ isBusy, onRetry }: ServiceSilentProps): ReactNode {
  return (
    <main className="sign-in">
      <div className="sign-in-card" role="alert">
        <Mark />
        <h1>Stowage does not answer</h1>
        <p>It may be starting, or have been stopped. Look at the terminal it runs in, then try again.</p>
        <div>
          <button type="button" className="button" data-kind="primary" disabled={isBusy} onClick={onRetry}>
            Try again
          </button>
        </div>
      </div>
    </main>
  );
}
