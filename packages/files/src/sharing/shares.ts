// Shares: links by which people without an account read a file or a folder. What is not `ready` is not shared, whoever has the
// link (design §6, invariant 2).

import type { CreateShareRequest, Share, ShareList } from '@stowage/contract';
import { serviceNote } from '../accounts/audit-note.ts';
import type { NoteOf } from '../accounts/members.ts';
import type { PasswordHashes } from '../accounts/password-hash.ts';
import type { Account } from '../database/account-tables.ts';
import type { Database } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { type FileRecord, isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { foldName } from '../tree/folder-record.ts';
import { isOpen, type ShareRecord } from './share-record.ts';
import type { ShareTokens } from './share-token.ts';

export interface Shares {
  /** Throws `not-found`, `wrong-state` for a file that is not ready. */
  create(account: Account, request: CreateShareRequest, noteOf: NoteOf): Promise<Share>;
  /** Those that one user made, or all. */
  list(
    tenantId: string,
    query: { readonly cursor?: string; readonly limit?: number },
    createdBy?: string,
  ): Promise<ShareList>;
  /** Safe to repeat. With a user, only one that they made. Throws `not-found`. */
  revoke(share: TenantId & { readonly createdBy?: string | undefined }, noteOf: NoteOf): Promise<void>;
  /** The share of a token. Throws `not-found` for a token that was not made here, `share-ended`. */
  open(token: string): Promise<ShareRecord>;
  /** What people see it called. */
  describe(share: ShareRecord): Promise<{ readonly title: string }>;
  /** Throws `password-wrong`. */
  checkPassword(share: ShareRecord, password: string): Promise<void>;
  /** The files that it shows now: that one, or those of the folder and below it, by path. Only ready ones. */
  files(share: ShareRecord, limit: number): Promise<readonly SharedFile[]>;
  /** One of them. Throws `not-found`. */
  file(share: ShareRecord, fileId: string): Promise<FileRecord>;
  /** Counts one download of a file, or of `archive`. Of any number at once no more than the limit succeed. Throws `share-ended`. */
  countDownload(share: ShareRecord, what: string): Promise<void>;
}

interface SharedFile {
  readonly file: FileRecord;
  /** Names of the folders it lies in, below the shared one and outermost first. */
  readonly folder: readonly string[];
}

interface SharesOptions {
  readonly database: Pick<Database, 'files' | 'folders' | 'shares'>;
  readonly tokens: ShareTokens;
  readonly passwords: PasswordHashes;
  readonly clock: () => number;
  readonly newId: () => string;
  /** Under which people reach the service, without a slash at the end. Empty: addresses are relative. */
  readonly origin: string;
  /** Whether the audit log tells of downloads too. */
  readonly auditDownloads: boolean;
}

const defaultPageSize = 50;

export function openShares({
  database,
  tokens,
  passwords: everybodys,
  clock,
  newId,
  origin,
  auditDownloads,
}: SharesOptions): Shares {
  const { files, folders, shares } = database;
  // Strangers try them: who floods a share must not keep people from signing in.
  const passwords = everybodys.withOwnQueue();

  async function targetName({ tenantId, targetKind, targetId: id }: ShareRecord): Promise<string | undefined> {
    const target = await (targetKind === 'file' ? files.current({ tenantId, id }) : folders.get({ tenantId, id }));
    return target?.name;
  }

  /** What people are shown of it: of a file in the trash, or gone, not even its name. */
  async function shownName({ tenantId, targetKind, targetId: id }: ShareRecord): Promise<string | undefined> {
    if (targetKind === 'folder') return (await folders.get({ tenantId, id }))?.name;
    const file = await files.current({ tenantId, id });
    return file?.state === 'ready' ? file.name : undefined;
  }

  async function show(share: ShareRecord): Promise<Share> {
    const { expiresAtMs, maxDownloads, revokedAtMs } = share;
    return {
      id: share.id,
      target: { kind: share.targetKind, id: share.targetId, name: (await targetName(share)) ?? '' },
      url: `${origin}/s/${tokens.make(share.id)}`,
      hasPassword: share.passwordHash !== null,
      createdAt: isoDate(share.createdAtMs),
      ...(expiresAtMs === null ? {} : { expiresAt: isoDate(expiresAtMs) }),
      ...(maxDownloads === null ? {} : { maxDownloads }),
      downloads: share.downloads,
      ...(revokedAtMs === null ? {} : { revokedAt: isoDate(revokedAtMs) }),
    };
  }

  /** Throws unless there is something to share. */
  async function requireTarget(tenantId: string, { fileId, folderId = '' }: CreateShareRequest): Promise<void> {
    if (fileId === undefined) {
      if ((await folders.get({ tenantId, id: folderId })) !== undefined) return;
      throw new FilesError('not-found', { detail: `There is no folder ${folderId}.` });
    }
    const file = await files.current({ tenantId, id: fileId });
    if (file === undefined || file.state === 'purging' || file.state === 'purged') {
      throw new FilesError('not-found', { detail: `There is no file ${fileId}.` });
    }
    if (file.state !== 'ready') {
      throw new FilesError('wrong-state', {
        detail: `Only a file that is ready can be shared; this one is ${file.state}.`,
      });
    }
  }

  return {
    create: async ({ tenantId, userId }, request, noteOf) => {
      await requireTarget(tenantId, request);
      const { fileId, folderId = '', expiresInSeconds, maxDownloads = null, password } = request;
      const nowMs = clock();
      const share: ShareRecord = {
        id: newId(),
        tenantId,
        createdBy: userId,
        targetKind: fileId === undefined ? 'folder' : 'file',
        targetId: fileId ?? folderId,
        passwordHash: password === undefined ? null : await passwords.hash(password),
        createdAtMs: nowMs,
        expiresAtMs: expiresInSeconds === undefined ? null : nowMs + expiresInSeconds * 1000,
        maxDownloads,
        downloads: 0,
        revokedAtMs: null,
      };
      const { targetKind, targetId, expiresAtMs } = share;
      const details = { targetKind, targetId, expiresAtMs, maxDownloads, hasPassword: password !== undefined };
      const subject = { kind: 'share', id: share.id };
      await shares.add(share, noteOf({ action: 'share.created', subject, details }));
      return show(share);
    },

    list: async (tenantId, { cursor, limit = defaultPageSize }, createdBy) => {
      const rows = await shares.list({ tenantId, createdBy, limit: limit + 1, beforeId: cursor });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        shares: await Promise.all(page.map(show)),
        ...(rows.length > limit && last !== undefined ? { nextCursor: last.id } : {}),
      };
    },

    revoke: async (share, noteOf) => {
      const note = noteOf({ action: 'share.revoked', subject: { kind: 'share', id: share.id } });
      if (!(await shares.revoke(share, clock(), note))) {
        throw new FilesError('not-found', { detail: `There is no share ${share.id}.` });
      }
    },

    open: async (token) => {
      const id = tokens.read(token);
      const share = id === undefined ? undefined : await shares.find(id);
      if (share === undefined) throw new FilesError('not-found', { detail: 'There is no such link.' });
      if (!isOpen(share, clock()) || (await shownName(share)) === undefined) throw new FilesError('share-ended');
      return share;
    },

    describe: async (share) => ({ title: (await shownName(share)) ?? '' }),

    checkPassword: async ({ passwordHash }, password) => {
      if (passwordHash === null || (await passwords.matches(password, passwordHash))) return;
      throw new FilesError('password-wrong', { detail: 'Ask whoever sent you the link for its password.' });
    },

    files: async ({ tenantId, targetKind, targetId }, limit) => {
      if (targetKind === 'file') {
        const file = await files.current({ tenantId, id: targetId });
        return file?.state === 'ready' ? [{ file, folder: [] }] : [];
      }
      const found = await files.readyWithin({ tenantId, folderId: targetId, limit });
      const paths = await folders.paths(tenantId, [targetId, ...new Set(found.map(({ folderId }) => folderId))]);
      const above = paths.get(targetId)?.length ?? 0;
      return found
        .map((file) => ({ file, folder: (paths.get(file.folderId) ?? []).slice(above) }))
        .sort((one, other) => comparePaths(pathOf(one), pathOf(other)));
    },

    file: async ({ tenantId, targetKind, targetId }, fileId) => {
      const file = await files.current({ tenantId, id: fileId });
      const shown =
        file?.state === 'ready' &&
        (targetKind === 'file'
          ? file.lineId === targetId
          : await folders.isWithin({ tenantId, id: file.folderId }, targetId));
      if (!shown || file === undefined)
        throw new FilesError('not-found', { detail: 'The link does not show such a file.' });
      return file;
    },

    countDownload: async (share, what) => {
      const { tenantId, id } = share;
      const subject = { kind: 'share', id };
      const note = serviceNote({ tenantId, action: 'file.downloaded', subject, details: { what } });
      const counted = await shares.countDownload(share, clock(), auditDownloads ? note : undefined);
      if (!counted) throw new FilesError('share-ended');
    },
  };
}

/** As names are told apart; of two that differ in case alone, the id decides. */
function pathOf({ file, folder }: SharedFile): readonly string[] {
  return [...folder, file.name].map(foldName).concat(file.lineId);
}

function comparePaths(one: readonly string[], other: readonly string[]): number {
  for (const [index, name] of one.entries()) {
    const against = other[index];
    if (against === undefined) return 1;
    if (name !== against) return name < against ? -1 : 1;
  }
  return one.length - other.length;
}
