// What can be done with a file of the list. Each says what it did, and how to take it back.

import { isClientError } from '@stowage/client';
import { briefName, type FileEntry, type Share } from '@stowage/contract';
import { useStowage } from '@stowage/react';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { formatDeadline } from '../format/time.ts';
import { useNotices } from '../notices/use-notices.ts';
import { opensInBrowser } from './file-kind.ts';
import { dropFromLists, filesKey } from './file-queries.ts';

export interface FileActions {
  /** All that is known of it, with its picture. */
  show(file: FileEntry): void;
  /** In a new tab where the browser can show it, else as a download. */
  open(file: FileEntry): void;
  download(file: FileEntry): void;
  /** Shares it for so long, and offers to end the share. */
  copyLink(file: FileEntry, expiresInSeconds: number): Promise<void>;
  /** Has the scanner judge what was set aside anew. */
  checkAgain(file: FileEntry): Promise<void>;
  /** Into the trash, with an offer to undo. */
  remove(file: FileEntry): Promise<void>;
}

/** Long enough to try the link before it is ended. */
const linkNoticeMs = 60_000;

interface FileActionsOptions {
  /** Stable. */
  readonly onShow: (file: FileEntry) => void;
  /** A removal was taken back; the lists are about to show the file again. Stable. */
  readonly onRestored: (file: FileEntry) => void;
}

export function useFileActions({ onShow, onRestored }: FileActionsOptions): FileActions {
  const { client } = useStowage();
  const queries = useQueryClient();
  const { say, sayFailure } = useNotices();

  return useMemo(() => {
    const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: filesKey });

    async function restore(file: FileEntry): Promise<void> {
      try {
        await client.files.restore(file.id);
        say({ title: `“${briefName(file.name)}” is back` });
        onRestored(file);
      } catch (error) {
        sayFailure(`“${briefName(file.name)}” could not be brought back`, error);
      }
      await refresh();
    }

    async function endLink(shareId: string, { name }: FileEntry): Promise<void> {
      try {
        await client.shares.revoke(shareId);
        say({ title: 'Link ended', detail: `It no longer leads to “${briefName(name)}”.` });
      } catch (error) {
        sayFailure('The link could not be ended', error);
      }
    }

    /** Either there is none, or the browser did not copy it: then nobody has it, and it ends. */
    async function tellNoLink(sharing: Promise<Share>): Promise<void> {
      try {
        const { id } = await sharing;
        await client.shares.revoke(id);
        const advice =
          'The browser does not let this page copy. Allow it in the settings of this page, then try again.';
        say({ title: 'No link was made', detail: advice });
      } catch (error) {
        const mayNot = isClientError(error) && error.code === 'forbidden';
        sayFailure(mayNot ? 'You may not share this file' : 'No link was made', error);
      }
    }

    function download(file: FileEntry): void {
      const link = document.createElement('a');
      link.href = client.contentUrl(file.id, 'attachment');
      link.download = file.name;
      link.click();
    }

    return {
      show: onShow,
      open(file) {
        if (file.state !== 'ready') return;
        if (opensInBrowser(file.contentType)) window.open(client.contentUrl(file.id, 'inline'), '_blank', 'noopener');
        else download(file);
      },
      download,
      async copyLink(file, expiresInSeconds) {
        const sharing = client.shares.create({ fileId: file.id, expiresInSeconds });
        try {
          await writeClipboard(sharing.then(({ url }) => url));
          const { id, expiresAt } = await sharing;
          const until = expiresAt === undefined ? '' : ` until ${formatDeadline(expiresAt, Date.now())}`;
          say({
            title: 'Link copied',
            detail: `Anyone who has it can download “${briefName(file.name)}”${until}, or until you end the link or delete the file.`,
            timeoutMs: linkNoticeMs,
            action: { label: 'End link', onAction: () => void endLink(id, file) },
          });
        } catch {
          await tellNoLink(sharing);
        }
      },
      async checkAgain(file) {
        try {
          await client.quarantine.rescan(file.versionId);
          say({ title: `“${briefName(file.name)}” is being checked again` });
        } catch (error) {
          sayFailure(`“${briefName(file.name)}” could not be checked again`, error);
        }
        await refresh();
      },
      async remove(file) {
        // A refresh under way would bring it back for a moment.
        await queries.cancelQueries({ queryKey: filesKey });
        dropFromLists(queries, file.id);
        try {
          await client.files.delete(file.id);
          say({
            title: `“${briefName(file.name)}” was deleted`,
            // What was refused does not go into the trash: it is gone.
            ...(file.state === 'ready' ? { action: { label: 'Undo', onAction: () => void restore(file) } } : {}),
          });
        } catch (error) {
          sayFailure(`“${briefName(file.name)}” could not be deleted`, error);
        }
        await refresh();
      },
    };
  }, [client, queries, say, sayFailure, onShow, onRestored]);
}

/** The promise is handed over within the click, as some browsers forbid to write later. */
async function writeClipboard(text: Promise<string>): Promise<void> {
  if (typeof ClipboardItem !== 'undefined' && navigator.clipboard?.write !== undefined) {
    const blob = text.then((value) => new Blob([value], { type: 'text/plain' }));
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
    return;
  }
  // Pages that are neither on this machine nor on HTTPS have no clipboard but this.
  const field = document.createElement('textarea');
  field.value = await text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (!copied) throw new Error('The browser does not allow this page to copy.');
}
