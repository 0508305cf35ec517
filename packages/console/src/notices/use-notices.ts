// Says things to the user. What is said may hold names of files: they are shown as names are everywhere.

import { Toast } from '@base-ui/react/toast';
import { isClientError } from '@stowage/client';
import { shownName } from '@stowage/contract';
import { useMemo } from 'react';

interface Notice {
  readonly title: string;
  readonly detail?: string;
  /** How long it stays. Default: that of the page, a few seconds. */
  readonly timeoutMs?: number;
  readonly action?: { readonly label: string; readonly onAction: () => void };
}

interface NoticeBoard {
  say(notice: Notice): void;
  /** Something the user asked for did not work. */
  sayFailure(title: string, error: unknown): void;
}

export function useNotices(): NoticeBoard {
  const { add, close } = Toast.useToastManager();
  return useMemo(
    () => ({
      say({ title, detail, timeoutMs, action }) {
        const id: string = add({
          title: shownName(title),
          ...(detail === undefined ? {} : { description: shownName(detail) }),
          ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
          ...(action === undefined
            ? {}
            : {
                actionProps: {
                  children: action.label,
                  onClick: () => {
                    close(id);
                    action.onAction();
                  },
                },
              }),
        });
      },
      sayFailure(title, error) {
        add({
          title: shownName(title),
          description: isClientError(error) ? shownName(error.message) : 'Something unexpected happened in this page.',
          type: 'failure',
          priority: 'high',
          timeout: 12_000,
        });
      },
    }),
    [add, close],
  );
}
