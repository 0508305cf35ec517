// The rows of the file service, behind an interface: SQLite for one process, PostgreSQL by the same queries for several. Every
// method is one transaction, durable once it resolved. Both pass database.contract.ts.

import type { FileState } from '@stowage/contract';
import type { AuditNote } from '../accounts/audit-note.ts';
import type { EndpointProfile } from '../bucket/endpoint-profile.ts';
import type { FileChanges, FileRecord, Shelf } from '../file-record.ts';
import type { NewJob } from '../lifecycle/job.ts';
import type { ReconcileTable } from '../orphans/reconcile-record.ts';
import type { ShareRecord } from '../sharing/share-record.ts';
import type { FolderRecord } from '../tree/folder-record.ts';
import type { AccountTable, AuditTable, GrantTable, GroupTable, TenantTable, UserTable } from './account-tables.ts';
import type { UsageDayRow } from './schema.ts';
import type { TenantId } from './tenant-id.ts';
import type { LeaseOptions, Outbox, WaitingList, WebhookTable } from './work-tables.ts';

export interface Database {
  readonly files: FileTable;
  readonly folders: FolderTable;
  readonly search: SearchTable;
  readonly shares: ShareTable;
  readonly webhooks: WebhookTable;
  readonly endpoints: EndpointTable;
  readonly outbox: Outbox;
  readonly accounts: AccountTable;
  readonly users: UserTable;
  readonly groups: GroupTable;
  readonly grants: GrantTable;
  readonly tenants: TenantTable;
  readonly audit: AuditTable;
  readonly reconcile: ReconcileTable;
  readonly usageDays: UsageDayTable;
  readonly quarantine: QuarantineTable;
  /**
   * The second wall between tenants. `bypassed`: the role that the database was opened by is one that PostgreSQL never stops.
   * `none`: SQLite has no such thing.
   */
  readonly rowSecurity: 'enforced' | 'bypassed' | 'none';
  /** Whether it answers. Throws as all that asks it while it does not: `database-unavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A client's name for a request, so that a repeated one makes nothing new. */
export interface IdempotencyKey {
  readonly key: string;
  /** Of the request's content: the same key with another content is a mistake. */
  readonly requestHash: string;
  readonly expiresAtMs: number;
}

/** A request that may have been made before, by its key. */
export interface RepeatedRequest extends Pick<IdempotencyKey, 'key' | 'requestHash'> {
  readonly tenantId: string;
  readonly nowMs: number;
}

/** What becomes of a name that is taken. */
export type TakenName = 'keep-both' | 'refuse';

interface RelocateOptions {
  readonly onConflict: TakenName;
  readonly jobs?: readonly NewJob[];
  /**
   * Of a file that comes out of the trash: it, and the folders that come with it, are put only into these folders, however deep. Throws
   * `forbidden` where that would be elsewhere. Default: wherever it lay.
   */
  readonly within?: readonly string[] | undefined;
}

export interface AddOptions {
  readonly idempotency?: IdempotencyKey | undefined;
  /** Written with the row. */
  readonly jobs?: readonly NewJob[];
  /** Default `keep-both`. Versions have no name of their own. */
  readonly onConflict?: TakenName | undefined;
  /** Bytes that the file's user may hold in the file's category, this one with them. Default: no limit. */
  readonly userQuotaBytes?: number | undefined;
}

export interface EmptyTrashOptions {
  readonly tenantId: string;
  readonly nowMs: number;
  readonly within?: readonly string[] | undefined;
  /** Written once, with the number of files. */
  readonly note: AuditNote;
  /** Files that are looked at in one transaction. Default 1,000. */
  readonly sliceSize?: number;
}

export type SortColumn = 'name' | 'createdAt' | 'sizeBytes';

export interface ListOptions {
  readonly tenantId: string;
  readonly shelf: Shelf;
  /** Only what lies in this folder itself. Default: wherever it lies. */
  readonly folderId?: string | undefined;
  readonly sort: SortColumn;
  readonly descending: boolean;
  readonly limit: number;
  /** Only what lies in these folders, however deep. Default: wherever it lies. */
  readonly within?: readonly string[] | undefined;
  /** Only what this user brought. */
  readonly userId?: string | undefined;
  /** Only what comes after this place in the order. */
  readonly after?: ListPlace | undefined;
}

/** A place in a sorted list: the sorted-by value and the id of the last row seen. */
export interface ListPlace {
  readonly value: string | number;
  readonly id: string;
}

export interface NamedListOptions extends ListOptions {
  readonly name: string;
  /** Names that are looked at for one page. Default 20,000: what takes a few hundredths of a second. */
  readonly maxLookedAt?: number;
}

export interface FilePage {
  readonly files: readonly FileRecord[];
  /** How far was looked, where that is not yet the end: go on after it. Fewer files than asked for were found up to there. */
  readonly lookedUntil?: ListPlace;
}

export interface FileTable {
  /**
   * Adds a row and reserves its room. With a known idempotency key nothing is added and the row of the first request comes back;
   * throws `idempotency-conflict` when that request was another one, `quota-exceeded` when there is no room, and `name-taken`.
   */
  add(file: FileRecord, options?: AddOptions): Promise<FileRecord>;
  /**
   * The row that a request with this key made before, until the key is forgotten. Throws `idempotency-conflict` when that was another
   * request.
   */
  repeated(request: RepeatedRequest): Promise<FileRecord | undefined>;
  /** A row by its own id. `undefined` when there is none, or it is another tenant's. */
  get(version: TenantId): Promise<FileRecord | undefined>;
  /** The current version of a file. `undefined` when there is none, or it is another tenant's. */
  current(file: TenantId): Promise<FileRecord | undefined>;
  /**
   * Every row of a file, at most `limit`, whatever their states: what is on its way, the current version, and those before it, the last
   * that was current first.
   */
  versions(file: TenantId, limit: number): Promise<readonly FileRecord[]>;
  /** Whatever the tenant: for the service's own work. */
  find(id: string): Promise<FileRecord | undefined>;
  /**
   * Compare-and-set: writes the changes and the jobs in one transaction if the row still has the fence of `file`, and
   * answers the new row; `undefined` when the row has moved on, and then nothing is written. The sums of what is used and
   * reserved follow. A version that becomes the current one takes the place of the one before it, unless that one is not `ready`.
   */
  change(
    file: FileRecord,
    changes: FileChanges,
    jobs?: readonly NewJob[],
    note?: AuditNote,
  ): Promise<FileRecord | undefined>;
  /**
   * As `change`, for a new name or place: throws `name-taken`, or gives the name a number, when it is taken there, and
   * `not-found` when the folder is not there.
   */
  relocate(file: FileRecord, changes: FileChanges, options: RelocateOptions): Promise<FileRecord | undefined>;
  /** The current file of this name in a folder. */
  named(place: {
    readonly tenantId: string;
    readonly folderId: string;
    readonly name: string;
  }): Promise<FileRecord | undefined>;
  /** Puts files that are ready and lie in folders of the trash there too, at most `limit`. Answers them as they are then. */
  trashWithin(options: {
    readonly nowMs: number;
    readonly purgeAtMs: number;
    readonly limit: number;
  }): Promise<readonly FileRecord[]>;
  /** Current files that are ready, in a folder and all below it, by folder and name. */
  readyWithin(place: {
    readonly tenantId: string;
    readonly folderId: string;
    readonly limit: number;
  }): Promise<readonly FileRecord[]>;
  /** Until when a file must be kept whoever asks: for its own sake or that of any of its versions. `null`: no longer, or never. */
  retainedUntil(file: Pick<FileRecord, 'tenantId' | 'lineId'>): Promise<number | null>;
  /**
   * Has everything in a tenant's trash of which no version is retained be purged at the next review; of what lies in some folders, where
   * they are named. Answers how many files. In several transactions, one after the other, where there are many.
   */
  emptyTrash(options: EmptyTrashOptions): Promise<number>;
  /** In order, at most `limit`. */
  list(options: ListOptions): Promise<readonly FileRecord[]>;
  /** As `list`, only names that hold a text, whatever the case; of so many files as are looked at for one page. */
  listNamed(options: NamedListOptions): Promise<FilePage>;
  /** Rows whose review waits. A tenant's are a queue. */
  readonly reviews: WaitingList;
  /**
   * Takes those of some rows whose review is still due, as they were; nobody else gets them before `leaseMs` have passed. The lease stands
   * in place of the time they were due at, and whatever else of the row is changed leaves it there.
   */
  takeDue(ids: readonly string[], options: LeaseOptions): Promise<readonly FileRecord[]>;
  /**
   * Keeps a row that was taken, from the end of its lease on; or gives it back, to be due at an earlier time. `false` when it was given
   * another time meanwhile, or taken by another.
   */
  renewDue(row: { readonly id: string; readonly fromMs: number; readonly untilMs: number }): Promise<boolean>;
  /** How many rows are in each state. */
  count(): Promise<readonly { readonly state: FileState; readonly count: number }[]>;
  /** The place of a row in a list so sorted. */
  placeOf(file: FileRecord, sort: SortColumn): ListPlace;
}

export interface FolderTable {
  /** `undefined` when there is none, when it is another tenant's, or in the trash. */
  get(folder: TenantId): Promise<FolderRecord | undefined>;
  /** The folders in a folder, by name. */
  list(options: ListFoldersOptions): Promise<readonly FolderRecord[]>;
  /** Throws `name-taken`, `not-found` for its parent, and `invalid-request` when it lies too deep. */
  add(folder: FolderRecord): Promise<FolderRecord>;
  /**
   * Compare-and-set on the fence: answers the new row; `undefined` when the row has moved on. Throws `name-taken`, `not-found`
   * for the new parent, `folder-cycle` when that lies within the folder itself, `invalid-request` when it lies too deep.
   */
  change(
    folder: FolderRecord,
    changes: { readonly name?: string; readonly parentId?: string; readonly updatedAtMs: number },
  ): Promise<FolderRecord | undefined>;
  /** Puts a folder and all below it into the trash; `false` when the row has moved on. The files in it follow by `FileTable.trashWithin`. */
  trash(folder: FolderRecord, nowMs: number): Promise<boolean>;
  /** The folder at a path below `parentId`, with what of it was missing made. Throws `invalid-request` when it lies too deep. */
  ensure(path: {
    readonly tenantId: string;
    readonly userId: string;
    readonly parentId: string;
    readonly names: readonly string[];
    readonly nowMs: number;
  }): Promise<string>;
  /** By id, the names from the top down to the folder and with its own. The top's is empty. */
  paths(tenantId: string, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** By id, the folders from each up to the top, itself first; in the trash, too. What is not there is not in the answer. */
  chains(tenantId: string, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Whether `id` is `within` or lies below it. */
  isWithin(folder: TenantId, within: string): Promise<boolean>;
  /** What lies in a folder and below it. */
  contents(folder: TenantId): Promise<{ readonly folders: number; readonly files: number; readonly sizeBytes: number }>;
  /** Removes folders of the trash in which nothing is left. Answers how many. */
  removeEmpty(limit: number): Promise<number>;
}

export interface ListFoldersOptions {
  readonly tenantId: string;
  /** The folder they lie in, or the folders themselves, wherever they lie. */
  readonly from: { readonly parentId: string } | { readonly ids: readonly string[] };
  readonly limit: number;
  /** Only what comes after this place in the order. */
  readonly after?: ListPlace | undefined;
}

export interface ShareTable {
  add(share: ShareRecord, note: AuditNote): Promise<void>;
  /** Whatever the tenant, unless it is suspended: whoever shows the token of a share needs no account. */
  find(id: string): Promise<ShareRecord | undefined>;
  /** The newest first; those of one user, or of all. */
  list(page: {
    readonly tenantId: string;
    readonly createdBy?: string | undefined;
    readonly limit: number;
    readonly beforeId?: string | undefined;
  }): Promise<readonly ShareRecord[]>;
  /** Whether there is one. With a user, only one of theirs. */
  revoke(
    share: TenantId & { readonly createdBy?: string | undefined },
    nowMs: number,
    note: AuditNote,
  ): Promise<boolean>;
  /** Counts one download if the share may still be used for one, and says whether it may. */
  countDownload(share: ShareRecord, nowMs: number, note?: AuditNote): Promise<boolean>;
}

export interface SearchOptions {
  readonly tenantId: string;
  /** May be empty where `tag` has a word. */
  readonly question: string;
  readonly limit: number;
  /** Only documents with a lower number: give that of the last one found to go on. */
  readonly before?: number | undefined;
  /** In this folder, however deep. */
  readonly folderId?: string | undefined;
  /** In one of these folders, however deep. Default: wherever it lies. */
  readonly within?: readonly string[] | undefined;
  /** `image/png`, or `image/*`. */
  readonly type?: string | undefined;
  readonly tag?: string | undefined;
  readonly minSizeBytes?: number | undefined;
  readonly maxSizeBytes?: number | undefined;
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export interface SearchTable {
  /** Files on the list, the newest documents first. Empty when neither question nor tag has a word. */
  find(options: SearchOptions): Promise<readonly { readonly file: FileRecord; readonly number: number }[]>;
}

/** What happened on a day beside what is stored. */
export interface UsageCounts {
  readonly uploads?: number;
  readonly uploadedBytes?: number;
  readonly downloads?: number;
  readonly downloadBytes?: number;
  readonly requests?: number;
}

export interface UsageDayTable {
  /** Adds counts to days, all of them or none. What is stored is added with the changes of files themselves. */
  add(days: readonly (UsageCounts & { readonly tenantId: string; readonly day: string })[]): Promise<void>;
  /** Tenants of which there is anything, by id, at most `limit`. */
  tenants(page: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly string[]>;
  /** The rows of one tenant up to and with a day, the oldest first; those before `from` as one row of that name. */
  list(range: {
    readonly tenantId: string;
    readonly from: string;
    readonly until: string;
  }): Promise<{ readonly before: UsageDayRow | undefined; readonly days: readonly UsageDayRow[] }>;
}

export interface QuarantineTable {
  /** Rows in `quarantined` and `scan-failed`, the newest first, at most `limit`. */
  list(page: {
    readonly tenantId: string;
    readonly limit: number;
    readonly beforeId?: string | undefined;
  }): Promise<readonly FileRecord[]>;
}

export interface EndpointTable {
  /** `undefined` when it was never tried out. */
  get(place: { readonly endpoint: string; readonly bucket: string }): Promise<EndpointProfile | undefined>;
  /** In place of what was found before. */
  put(profile: EndpointProfile): Promise<void>;
}
