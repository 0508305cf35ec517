// Setting or changing one's own password, by which one comes in again when the session has ended. Whoever has no e-mail address yet, and
// may give it themselves, does so here: without one a password opens nothing.

import { Dialog } from '@base-ui/react/dialog';
import { isClientError } from '@stowage/client';
import type { SessionEntry } from '@stowage/contract';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { type ReactNode, type RefObject, useState } from 'react';
import { useNotices } from '../notices/use-notices.ts';
import { useApi } from '../session/api-context.ts';
import { useSession } from '../session/session-context.ts';
import { sessionKey } from '../session/session-query.ts';
import { usePageTitle } from '../shell/page-title.ts';
import { Spinner } from '../shell/spinner.tsx';
import { ChangePasswordForm, type PasswordChange } from './change-password-form.tsx';
import { type ChangeFaults, faultsOf } from './password-faults.ts';
import '../theme/dialog.css';
import './password-dialog.css';

interface PasswordDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** What has the focus afterwards. */
  readonly opener: RefObject<HTMLElement | null>;
}

export function PasswordDialog({ isOpen, onClose, opener }: PasswordDialogProps): ReactNode {
  usePageTitle(isOpen ? 'Your password' : undefined);
  return (
    <Dialog.Root
      open={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-backdrop" />
        <Dialog.Popup className="dialog" finalFocus={opener}>
          <header className="dialog-head">
            <Dialog.Title className="dialog-title">Your password</Dialog.Title>
            <Dialog.Close className="icon-button" aria-label="Close">
              <X size={18} aria-hidden="true" />
            </Dialog.Close>
          </header>
          <Content onDone={onClose} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Content({ onDone }: { readonly onDone: () => void }): ReactNode {
  const api = useApi();
  const { user, rights } = useSession();
  const queries = useQueryClient();
  const { say } = useNotices();
  const [faults, setFaults] = useState<ChangeFaults>({});
  const [isBusy, setBusy] = useState(false);
  const { data, error } = useQuery({
    queryKey: ['account', 'sessions'],
    queryFn: ({ signal }) => api.call('listSessions', { signal }),
    gcTime: 0,
  });

  async function change({ email, password, current }: PasswordChange): Promise<void> {
    setBusy(true);
    try {
      if (email !== undefined) {
        await api.call('changeUser', { params: { id: user.id }, body: { email } });
        await queries.invalidateQueries({ queryKey: sessionKey });
      }
      await api.call('changePassword', { body: { password, ...(current === undefined ? {} : { current }) } });
      say({
        title: 'Your password is set',
        detail: 'You are signed out everywhere else, and sign-in links that were open for you have ended.',
      });
      onDone();
    } catch (failure) {
      setFaults(faultsOf(failure));
    } finally {
      setBusy(false);
    }
  }

  if (error !== null) {
    return <p role="alert">{isClientError(error) ? error.message : 'Something unexpected happened in this page.'}</p>;
  }
  if (data === undefined) return <Spinner label="Looking how you signed in" />;
  const mayGiveEmail = rights.includes('members:write');
  if (user.email === undefined && !mayGiveEmail) {
    return (
      <p>
        Your account has no e-mail address, and without one nobody signs in by a password. Ask an owner to give it one.
      </p>
    );
  }
  return (
    <ChangePasswordForm
      email={user.email}
      current={currentField(data.sessions)}
      faults={faults}
      isBusy={isBusy}
      onSubmit={(wanted) => void change(wanted)}
    />
  );
}

/** Who came by a link need not know the present one: it is how a lost one is replaced. Of others it is known when they have one. */
function currentField(sessions: readonly SessionEntry[]): 'none' | 'optional' | 'required' {
  const how = sessions.find(({ current }) => current)?.how;
  if (how === 'password') return 'required';
  return how === 'oidc' ? 'optional' : 'none';
}
