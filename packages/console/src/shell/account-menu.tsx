// Who is signed in, where the bytes lie, one's own password, and the way out.

import { Menu } from '@base-ui/react/menu';
import { useStowage } from '@stowage/react';
import { useQueryClient } from '@tanstack/react-query';
import { CircleUserRound, KeyRound, LogOut } from 'lucide-react';
import { type ReactNode, useRef, useState } from 'react';
import { PasswordDialog } from '../account/password-dialog.tsx';
import { useNotices } from '../notices/use-notices.ts';
import { useSession } from '../session/session-context.ts';
import { sessionKey } from '../session/session-query.ts';

export function AccountMenu(): ReactNode {
  const { client, uploads } = useStowage();
  const { user, storage } = useSession();
  const queries = useQueryClient();
  const { sayFailure } = useNotices();
  const [isChanging, setChanging] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);

  async function signOut(): Promise<void> {
    uploads.pauseAll();
    try {
      await client.session.signOut();
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
      await queries.invalidateQueries({ queryKey: sessionKey });
    } catch (error) {
      sayFailure('Signing out did not work.', error);
    }
  }

  return (
    <>
      <Menu.Root>
        <Menu.Trigger ref={opener} className="icon-button" aria-label={`Account: ${user.name}`}>
          <CircleUserRound size={19} aria-hidden="true" />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className="menu-place" sideOffset={6} align="end">
            <Menu.Popup className="menu">
              <div className="menu-note">
                <strong>{user.name}</strong>
                Files are kept in the bucket “{storage.bucket}” at {storage.endpoint}
              </div>
              <div className="menu-rule" />
              <Menu.Item className="menu-item" onClick={() => setChanging(true)}>
                <KeyRound size={17} aria-hidden="true" /> Your password
              </Menu.Item>
              <Menu.Item className="menu-item" onClick={() => void signOut()}>
                <LogOut size={17} aria-hidden="true" /> Sign out
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <PasswordDialog isOpen={isChanging} onClose={() => setChanging(false)} opener={opener} />
    </>
  );
}
