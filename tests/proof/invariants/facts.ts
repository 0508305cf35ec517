// What the tables and the bucket hold at one moment, of one tenant or of all: what the eleven invariants are judged by.

import type { FileState } from '@stowage/contract';
import { type ChecksumAlgorithm, checksumAlgorithms } from '@stowage/s3';
import type { ProofBucket, StoredBytes, StoredVersion, WantedChecksum } from './proof-bucket.ts';
import type { ProofDatabase } from './proof-database.ts';

/** A row of `files`, as far as it is judged. Columns mean what FileRecord says. */
export interface FileFacts {
  readonly id: string;
  readonly lineId: string;
  readonly role: 'current' | 'version';
  /** It grows with each that becomes the current one. */
  readonly versionNumber: number;
  readonly tenantId: string;
  readonly userId: string;
  readonly name: string;
  readonly folderId: string;
  readonly category: string;
  readonly sizeBytes: number;
  readonly state: FileState;
  readonly fence: number;
  readonly reason: string | null;
  readonly strategy: string;
  readonly objectKey: string;
  readonly stagingKey: string | null;
  readonly copiedFrom: string | null;
  readonly multipartUploadId: string | null;
  readonly objectEtag: string | null;
  readonly objectVersionId: string | null;
  readonly checksumAlgorithm: string | null;
  readonly checksumValue: string | null;
  /** Of a part, where the bytes came in parts. */
  readonly partSizeBytes: number | null;
  /** What the client said of the bytes, by the contract's names. */
  readonly announcedAlgorithm: string | null;
  readonly announcedValue: string | null;
  readonly scanPolicy: string | null;
  /** JSON. */
  readonly previews: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly uploadExpiresAtMs: number;
  readonly signedUntilMs: number;
  readonly reviewAtMs: number | null;
  readonly trashedAtMs: number | null;
  readonly purgeAtMs: number | null;
  readonly retainUntilMs: number | null;
  /** Since when its bytes are known to be missing; absent in databases of before. */
  readonly missingSinceMs?: number | null;
}

interface UsageFacts {
  readonly tenantId: string;
  readonly userId: string;
  readonly usedBytes: number;
  readonly usedFiles: number;
  readonly reservedBytes: number;
  readonly reservedFiles: number;
}

interface CategoryFacts {
  readonly tenantId: string;
  readonly userId: string;
  readonly category: string;
  readonly heldBytes: number;
}

/** Of all tenants: what is kept, and what the rows are at the same moment. */
interface CountFacts {
  readonly state: string;
  readonly kept: number;
  readonly counted: number;
}

interface JobFacts {
  readonly kind: string;
  readonly fileId: string;
  readonly dueAtMs: number;
  readonly leasedUntilMs: number;
}

export interface DeliveryFacts {
  readonly id: string;
  readonly tenantId: string;
  readonly webhookId: string;
  readonly type: string;
  readonly body: string;
  readonly createdAtMs: number;
}

/** A row that names another row, which must be of the same tenant. */
interface ReferenceFacts {
  readonly what: string;
  readonly id: string;
  readonly tenantId: string;
  /** `null`: what it names is not there. */
  readonly namedTenantId: string | null;
}

export interface Facts {
  readonly files: readonly FileFacts[];
  readonly versions: readonly StoredVersion[];
  readonly uploads: readonly { readonly key: string; readonly uploadId: string }[];
  /** What a GET of the served object of a file answers; only of states that say that there are bytes. */
  readonly bytes: ReadonlyMap<string, StoredBytes>;
  /** What is said of the bytes of each file; its checksums in `bytes` are in the same order. */
  readonly claims: ReadonlyMap<string, readonly ChecksumClaim[]>;
  readonly jobs: readonly JobFacts[];
  readonly usage: readonly UsageFacts[];
  readonly categories: readonly CategoryFacts[];
  readonly counts: readonly CountFacts[];
  readonly webhooks: readonly { readonly id: string; readonly tenantId: string; readonly createdAtMs: number }[];
  readonly deliveries: readonly DeliveryFacts[];
  readonly references: readonly ReferenceFacts[];
}

/** States in which the row says that the bucket holds the bytes, sealed. */
export const statesWithBytes: ReadonlySet<FileState> = new Set([
  'uploaded',
  'validating',
  'scanning',
  'ready',
  'trashed',
  'quarantined',
]);

export async function readFacts(
  database: ProofDatabase,
  bucket: ProofBucket,
  tenantId: string | undefined,
): Promise<Facts> {
  const values = tenantId === undefined ? [] : [tenantId];
  const ofTenant = (column = 'tenant_id'): string => (tenantId === undefined ? '' : `WHERE ${column} = ?`);
  // The columns are named as the fields of the interfaces.
  const read = async <Row>(sql: string): Promise<Row[]> =>
    (await database.rows(sql, values)) as readonly unknown[] as Row[];
  const files = await read<FileFacts>(`SELECT * FROM files ${ofTenant()} ORDER BY id`);
  const jobs = await read<JobFacts>(
    `SELECT outbox.* FROM outbox JOIN files ON files.id = outbox.file_id ${ofTenant('files.tenant_id')}`,
  );
  const usage = await read<UsageFacts>(`SELECT * FROM usage_totals ${ofTenant()}`);
  const categories = await read<CategoryFacts>(`SELECT * FROM category_totals ${ofTenant()}`);
  const counts = (await database.rows(countsQuery)).map(({ state, kept, counted }) => ({
    state: String(state),
    kept: Number(kept),
    counted: Number(counted),
  }));
  const webhooks = await read<Facts['webhooks'][number]>(`SELECT * FROM webhooks ${ofTenant()}`);
  const deliveries = await read<DeliveryFacts>(`SELECT * FROM webhook_deliveries ${ofTenant()} ORDER BY id`);
  const references: ReferenceFacts[] = [];
  for (const sql of referenceQueries) references.push(...(await read<ReferenceFacts>(narrow(sql, tenantId))));

  const prefixes = ['files', 'incoming', 'previews'].map((zone) =>
    tenantId === undefined ? `${zone}/` : `${zone}/${tenantId}/`,
  );
  const versions = (await Promise.all(prefixes.map((prefix) => bucket.versions(prefix)))).flat();
  const uploads = (await Promise.all(prefixes.map((prefix) => bucket.uploads(prefix)))).flat();
  const bytes = new Map<string, StoredBytes>();
  const claims = new Map(files.map((file) => [file.id, claimsOf(file, files)]));
  for (const file of files) {
    if (!statesWithBytes.has(file.state)) continue;
    const stored = await bucket.get(file.objectKey, file.objectVersionId, claims.get(file.id));
    if (stored !== undefined) bytes.set(file.id, stored);
  }
  return { files, versions, uploads, bytes, claims, jobs, usage, categories, counts, webhooks, deliveries, references };
}

interface ChecksumClaim extends WantedChecksum {
  /** Whose word it is. */
  readonly by: 'the row' | 'the announcement';
  /** In base64. */
  readonly value: string;
}

/** What a row says of its bytes, and what was said when they were announced; of algorithms that S3 knows. */
function claimsOf(file: FileFacts, files: readonly FileFacts[]): readonly ChecksumClaim[] {
  const { checksumAlgorithm, checksumValue, announcedAlgorithm, announcedValue } = file;
  const claims: ChecksumClaim[] = [];
  if (isAlgorithm(checksumAlgorithm) && checksumValue !== null) {
    // What S3 makes of the checksums of parts ends with their number.
    const ofPartsBytes = /-\d+$/.test(checksumValue) ? partSizeOf(file, files) : null;
    claims.push({ by: 'the row', algorithm: checksumAlgorithm, value: checksumValue, ofPartsBytes });
  }
  const announced = announcedAlgorithm?.toUpperCase() ?? null;
  if (isAlgorithm(announced) && announcedValue !== null)
    claims.push({ by: 'the announcement', algorithm: announced, value: announcedValue, ofPartsBytes: null });
  return claims;
}

/** A copy is made of the same parts as what it was copied from. */
function partSizeOf(file: FileFacts, files: readonly FileFacts[]): number | null {
  if (file.partSizeBytes !== null || file.copiedFrom === null) return file.partSizeBytes;
  const source = files.find(({ id }) => id === file.copiedFrom);
  return source === undefined ? null : partSizeOf(source, files);
}

export function isAlgorithm(name: string | null): name is ChecksumAlgorithm {
  return name !== null && Object.hasOwn(checksumAlgorithms, name);
}

/** One query, so that both are of one moment. */
const countsQuery = `SELECT state, SUM(kept) AS kept, SUM(counted) AS counted FROM (
  SELECT state, files AS kept, 0 AS counted FROM file_counts UNION ALL SELECT state, 0, 1 FROM files
) AS states GROUP BY state`;

const reference = (what: string, from: string, join: string, where = ''): string =>
  `SELECT '${what}' AS what, ${from}.id AS id, ${from}.tenant_id AS tenant_id, named.tenant_id AS named_tenant_id
   FROM ${from} LEFT JOIN ${join} WHERE 1 = 1 ${where}`;

/** Every column that names a row of some tenant. */
const referenceQueries: readonly string[] = [
  reference('a file names a user', 'files', 'users named ON named.id = files.user_id'),
  reference(
    'a file lies in a folder',
    'files',
    'folders named ON named.id = files.folder_id',
    `AND files.folder_id <> '' AND files.state NOT IN ('purged', 'purging', 'trashed', 'aborted', 'expired')`,
  ),
  reference(
    'a file is copied from a file',
    'files',
    'files named ON named.id = files.copied_from',
    'AND files.copied_from IS NOT NULL',
  ),
  reference('a version names its file', 'files', 'files named ON named.id = files.line_id'),
  reference(
    'a folder lies in a folder',
    'folders',
    'folders named ON named.id = folders.parent_id',
    `AND folders.parent_id <> '' AND folders.trashed_at_ms IS NULL`,
  ),
  reference(
    'a share shows a file',
    'shares',
    'files named ON named.id = shares.target_id',
    `AND shares.target_kind = 'file'`,
  ),
  reference('a share names a user', 'shares', 'users named ON named.id = shares.created_by'),
  reference(
    'a delivery names a webhook',
    'webhook_deliveries',
    'webhooks named ON named.id = webhook_deliveries.webhook_id',
  ),
];

function narrow(sql: string, tenantId: string | undefined): string {
  const [, table = ''] = /FROM (\w+)/.exec(sql) ?? [];
  return tenantId === undefined ? sql : `${sql} AND ${table}.tenant_id = ?`;
}
