// Short messages at the bottom: what was done, with a way back; what failed, with the reason. Announced to screen readers.

import { Toast } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import type { KeyboardEvent, ReactNode } from 'react';
import './notices.css';

/** On the notice itself Enter does what its button does, as F6 leads there. */
function actByEnter(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'Enter' || event.target !== event.currentTarget) return;
  event.currentTarget.querySelector<HTMLButtonElement>('.notice-action')?.click();
}

export function Notices(): ReactNode {
  const { toasts } = Toast.useToastManager();
  return (
    <Toast.Portal>
      <Toast.Viewport className="notices" aria-label="Notices (F6)">
        {toasts.map((toast) => (
          <Toast.Root
            key={toast.id}
            toast={toast}
            className="notice"
            swipeDirection={['down', 'left']}
            onKeyDown={actByEnter}
          >
            <Toast.Content className="notice-content">
              <div className="notice-text">
                <Toast.Title className="notice-title" />
                <Toast.Description className="notice-detail" />
              </div>
              <Toast.Action className="notice-action" />
              <Toast.Close className="icon-button notice-close" aria-label="Dismiss">
                <X size={16} aria-hidden="true" />
              </Toast.Close>
            </Toast.Content>
          </Toast.Root>
        ))}
      </Toast.Viewport>
    </Toast.Portal>
  );
}
