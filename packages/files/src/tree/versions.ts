// The versions of a file: listed, restored, deleted.

import type { FileEntry, FileVersion } from '@stowage/contract';
import type { AuditNote } from '../accounts/audit-note.ts';
import type { FileTable } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { type FileRecord, isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { isRetained } from '../lifecycle/file-lifecycle.ts';
import { type FileMover, maxMoveAttempts, tooFast } from '../lifecycle/move-file.ts';
import { type ForGoodOptions, removeForGood } from './remove-for-good.ts';
import type { StoredFiles } from './stored-files.ts';

/** Names one version of a file. */
export interface VersionAddress extends TenantId {
  readonly versionId: string;
}

export interface Versions {
  /** The newest first, at most `maxListedVersions`. Throws `not-found`. */
  list(file: TenantId): Promise<readonly FileVersion[]>;
  /** One to be given out. Throws `not-found`, `wrong-state` for an earlier one of a file that is not ready: in the trash, say. */
  get(version: VersionAddress): Promise<FileRecord>;
  /** Makes it the current one. Throws `not-found`, `wrong-state` unless it and the current one are ready. */
  restore(version: VersionAddress): Promise<FileEntry>;
  /**
   * For good. Safe to repeat. Throws `not-found`, `wrong-state` for the current one, `retained`, and `forbidden` for one that was set
   * aside when who asks does not judge such.
   */
  remove(version: VersionAddress, options: ForGoodOptions & { readonly note: AuditNote }): Promise<void>;
}

interface VersionsOptions {
  readonly files: FileTable;
  readonly storedFiles: Pick<StoredFiles, 'get' | 'entry'>;
  readonly mover: FileMover;
  readonly clock: () => number;
}

interface FamilyMember {
  readonly version: FileRecord;
  /** The version that says where the file is: an earlier one stays as it was when its file goes into the trash. */
  readonly current: FileRecord;
}

const maxListedVersions = 1_000;
const gone: ReadonlySet<FileRecord['state']> = new Set(['purging', 'purged', 'aborted', 'expired']);

export function openVersions({ files, storedFiles, mover, clock }: VersionsOptions): Versions {
  async function find({ tenantId, id, versionId }: VersionAddress): Promise<FamilyMember> {
    const current = await storedFiles.get(tenantId, id);
    const version = await files.get({ tenantId, id: versionId });
    if (version?.lineId !== id || gone.has(version.state)) {
      throw new FilesError('not-found', { detail: `File ${id} has no version ${versionId}.` });
    }
    return { version, current };
  }

  return {
    list: async ({ tenantId, id }) => {
      await storedFiles.get(tenantId, id);
      const versions = await files.versions({ tenantId, id }, maxListedVersions);
      return versions.filter(({ state }) => !gone.has(state)).map(shownVersion);
    },

    get: async (address) => {
      const { version, current } = await find(address);
      if (version.role === 'current' || current.state === 'ready') return version;
      throw new FilesError('wrong-state', {
        detail:
          current.state === 'trashed'
            ? 'The file is in the trash: restore it first.'
            : `The file is ${current.state}: none of its versions can be fetched.`,
      });
    },

    restore: async (address) => {
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        const { version } = await find(address);
        if (version.role === 'current') return storedFiles.entry(version);
        if (version.state !== 'ready') {
          throw new FilesError('wrong-state', {
            detail: `Only a version that is ready can be restored; this one is ${version.state}.`,
          });
        }
        const restored = await files.change(version, { role: 'current', updatedAtMs: clock() });
        if (restored?.role === 'current') return storedFiles.entry(restored);
        if (restored !== undefined) {
          throw new FilesError('wrong-state', { detail: 'The file is in the trash: restore it first.' });
        }
      }
      throw tooFast();
    },

    remove: async (address, { note, may, noteOf }) => {
      const ofVersion: typeof noteOf = (about) => (about.action === 'file.purged' ? note : noteOf(about));
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        const { version } = await find(address);
        if (version.role === 'current') {
          throw new FilesError('wrong-state', {
            detail: 'This is the current version: delete the file, or restore another version first.',
          });
        }
        requireNotRetained(version, clock());
        if (version.state === 'trashed') {
          if ((await mover.move(version, { kind: 'purge-started', asked: true }, note)) !== undefined) return;
        } else if (version.state === 'ready') {
          await mover.move(version, { kind: 'trashed', forGood: true });
        } else if (await removeForGood(version, { may, noteOf: ofVersion, mover })) return;
        else {
          const { version: latest } = await find(address);
          if (latest.fence === version.fence) {
            throw new FilesError('wrong-state', {
              detail: `The version is ${version.state}: wait until it has been checked.`,
            });
          }
        }
      }
      throw tooFast();
    },
  };
}

/** Throws `retained`. */
export function requireNotRetained(file: Pick<FileRecord, 'retainUntilMs'>, nowMs: number): void {
  if (!isRetained(file, nowMs)) return;
  throw new FilesError('retained', { detail: `The file must be kept until ${isoDate(file.retainUntilMs ?? 0)}.` });
}

function shownVersion(file: FileRecord): FileVersion {
  return {
    id: file.id,
    current: file.role === 'current',
    state: file.state,
    sizeBytes: file.sizeBytes,
    contentType: file.contentType,
    createdAt: isoDate(file.createdAtMs),
    ...(file.retainUntilMs === null ? {} : { retainUntil: isoDate(file.retainUntilMs) }),
  };
}
