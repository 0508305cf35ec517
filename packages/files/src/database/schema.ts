// The tables as Kysely sees them: camelCase here, snake_case in SQL. What each column means is said at FileRecord.

import type { FileState, UploadStrategy } from '@stowage/contract';
import type { Generated } from 'kysely';
import type { AuditRecord } from '../accounts/audit-chain.ts';
import type { EndpointProfile } from '../bucket/endpoint-profile.ts';
import type { FileRecord, Shelf } from '../file-record.ts';
import type { JobKind } from '../lifecycle/job.ts';
import type { FindingRecord, ReconcileRecord } from '../orphans/reconcile-record.ts';
import type { ShareRecord } from '../sharing/share-record.ts';
import type { FolderRecord } from '../tree/folder-record.ts';
import type { DeliveryRecord, WebhookRecord } from '../webhooks/webhook-record.ts';
import type {
  ApiKeyRecord,
  GrantRecord,
  GroupMemberRow,
  GroupRow,
  RecoveryCodeRow,
  SessionRecord,
  SignInTokenRecord,
  UserRow,
} from './account-rows.ts';

/** `tags`, `metadata`, `contentMarks` and `previews` are JSON text; `nameFolded` and `shelf` follow from the record and are there to be searched. */
export interface FileRow
  extends Omit<FileRecord, 'tags' | 'metadata' | 'contentMarks' | 'previews' | 'state' | 'strategy'> {
  readonly state: FileState;
  readonly strategy: UploadStrategy;
  readonly tags: string;
  readonly metadata: string;
  readonly contentMarks: string;
  readonly previews: string;
  readonly nameFolded: string;
  readonly shelf: Shelf;
}

export interface FolderRow extends FolderRecord {
  readonly nameFolded: string;
}

/** What a user's files take up, and what was promised to uploads that are on their way. Design §6, invariant 9. */
export interface UsageTotalsRow {
  readonly tenantId: string;
  readonly userId: string;
  readonly usedBytes: number;
  readonly usedFiles: number;
  readonly reservedBytes: number;
  readonly reservedFiles: number;
}

/** What a user holds in a category, what was promised to uploads included: what a policy's `userQuotaBytes` is held against. */
interface CategoryTotalsRow {
  readonly tenantId: string;
  readonly userId: string;
  readonly category: string;
  readonly heldBytes: number;
}

/** How many files are in a state: the sum over the shards, each of which may be below zero. Kept by triggers. */
interface FileCountRow {
  readonly state: FileState;
  readonly shard: number;
  readonly files: number;
}

/** What a tenant did on a day (UTC). What it stores is the sum of all changes up to then. */
export interface UsageDayRow {
  readonly tenantId: string;
  readonly day: string;
  readonly storedBytesChange: number;
  readonly storedFilesChange: number;
  readonly uploads: number;
  readonly uploadedBytes: number;
  readonly downloads: number;
  readonly downloadBytes: number;
  readonly requests: number;
}

/** `events` is JSON text; `enabled` is 0 or 1. */
export interface WebhookRow extends Omit<WebhookRecord, 'events' | 'enabled'> {
  readonly events: string;
  readonly enabled: number;
}

/** `capabilities` is JSON text. */
export interface EndpointProfileRow extends Omit<EndpointProfile, 'capabilities'> {
  readonly capabilities: string;
}

interface SearchDocumentRow {
  /** Given by the database; rises. */
  readonly number: Generated<number>;
  readonly fileId: string;
  readonly tenantId: string;
  /** See search-words.ts. */
  readonly words: string;
}

interface OutboxRow {
  readonly id: string;
  readonly kind: JobKind;
  readonly fileId: string;
  /** Of its file. */
  readonly tenantId: string;
  readonly dueAtMs: number;
  readonly attempts: number;
  readonly leasedUntilMs: number;
  readonly lastError: string | null;
  /** Rises whenever it is taken. */
  readonly fence: number;
}

interface IdempotencyRow {
  readonly tenantId: string;
  readonly key: string;
  readonly requestHash: string;
  readonly fileId: string;
  readonly expiresAtMs: number;
}

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** Since when nobody of it may do anything. */
  readonly suspendedAtMs: number | null;
  /** `null`: as much as the bucket takes. */
  readonly quotaBytes: number | null;
  readonly quotaFiles: number | null;
}

/** `position` and `counts` are JSON text; `dryRun` is 0 or 1. */
export interface ReconcileRunRow extends Omit<ReconcileRecord, 'dryRun' | 'position' | 'counts'> {
  readonly dryRun: number;
  readonly position: string;
  readonly counts: string;
  /** Which process works on it. */
  readonly leaseHolder: string | null;
  readonly leasedUntilMs: number;
}

interface DatabaseIdentityRow {
  readonly id: string;
}

interface MigrationRow {
  readonly number: number;
  readonly checksum: string;
  readonly appliedAtMs: number;
}

export interface Schema {
  readonly files: FileRow;
  readonly folders: FolderRow;
  readonly searchDocuments: SearchDocumentRow;
  readonly shares: ShareRecord;
  readonly webhooks: WebhookRow;
  readonly webhookDeliveries: DeliveryRecord;
  readonly endpointProfiles: EndpointProfileRow;
  readonly usageTotals: UsageTotalsRow;
  readonly categoryTotals: CategoryTotalsRow;
  readonly fileCounts: FileCountRow;
  readonly usageDays: UsageDayRow;
  readonly outbox: OutboxRow;
  readonly idempotencyKeys: IdempotencyRow;
  readonly tenants: TenantRow;
  readonly users: UserRow;
  readonly recoveryCodes: RecoveryCodeRow;
  readonly signInTokens: SignInTokenRecord;
  readonly sessions: SessionRecord;
  readonly apiKeys: ApiKeyRecord;
  readonly userGroups: GroupRow;
  readonly groupMembers: GroupMemberRow;
  readonly grants: GrantRecord;
  readonly auditEntries: AuditRecord;
  readonly reconcileRuns: ReconcileRunRow;
  readonly reconcileFindings: FindingRecord;
  readonly databaseIdentity: DatabaseIdentityRow;
  readonly schemaMigrations: MigrationRow;
}
