// The rows of one tenant, as the model speaks of them: what it compares its predictions with, and goes on from.

import type { AnnouncedAlgorithm } from '@stowage/contract';
import type { FileFacts } from '../invariants/facts.ts';
import type { ProofDatabase } from '../invariants/proof-database.ts';
import type { ModelFile } from './model-state.ts';

export interface Observation {
  readonly files: ReadonlyMap<string, ModelFile>;
  readonly folders: ReadonlySet<string>;
}

export async function observe(database: ProofDatabase, tenantId: string): Promise<Observation> {
  // The columns are named as the interface's fields.
  const rows = (await database.rows('SELECT * FROM files WHERE tenant_id = ? ORDER BY id', [
    tenantId,
  ])) as unknown as (FileFacts & {
    readonly category: string;
    readonly sealedBy: string;
    readonly partCount: number | null;
    readonly scanningSinceMs: number | null;
  })[];
  const jobs = await database.rows(
    'SELECT outbox.kind, outbox.file_id, outbox.due_at_ms, outbox.leased_until_ms FROM outbox JOIN files ON files.id = outbox.file_id WHERE files.tenant_id = ?',
    [tenantId],
  );
  const folderRows = await database.rows('SELECT id, trashed_at_ms FROM folders WHERE tenant_id = ?', [tenantId]);
  const folders = new Set(
    folderRows.filter(({ trashedAtMs }) => trashedAtMs === null).map((folder) => String(folder.id)),
  );
  // What lies in a folder of the trash is in the trash for everybody at once; its own row is moved a little later.
  const isSwept = ({ role, state, folderId }: FileFacts): boolean =>
    role === 'current' && state === 'ready' && folderId !== '' && !folders.has(folderId);
  const dueByFile = new Map<string, Record<string, number>>();
  for (const job of jobs) {
    const due = dueByFile.get(String(job.fileId)) ?? {};
    dueByFile.set(String(job.fileId), due);
    const atMs = Math.max(Number(job.dueAtMs), Number(job.leasedUntilMs));
    due[String(job.kind)] = Math.min(atMs, due[String(job.kind)] ?? atMs);
  }
  const files = new Map(
    rows.map((row): [string, ModelFile] => [
      row.id,
      {
        id: row.id,
        lineId: row.lineId,
        role: row.role,
        versionNumber: row.versionNumber,
        name: row.name,
        folderId: row.folderId,
        sizeBytes: row.sizeBytes,
        category: row.category,
        strategy: row.strategy as ModelFile['strategy'], // one of the contract's, by its own table
        sealedBy: row.sealedBy,
        copiedFrom: row.copiedFrom,
        partCount: row.partCount ?? 0,
        announcedAlgorithm: row.announcedAlgorithm as AnnouncedAlgorithm | null, // one of the contract's, by its own table
        announcedValue: row.announcedValue,
        objectKey: row.objectKey,
        arrivalKey: row.stagingKey ?? row.objectKey,
        multipartUploadId: row.multipartUploadId,
        state: isSwept(row) ? 'trashed' : row.state,
        fence: row.fence,
        reviewAtMs: row.reviewAtMs,
        expiresAtMs: row.uploadExpiresAtMs,
        signedUntilMs: row.signedUntilMs,
        scanningSinceMs: row.scanningSinceMs,
        retainUntilMs: row.retainUntilMs,
        wasStored: row.objectEtag !== null,
        jobs: dueByFile.get(row.id) ?? {},
      },
    ]),
  );
  return { files, folders };
}
