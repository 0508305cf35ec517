// Which unfinished uploads of a page nobody will finish. Nothing is asked but the rows, and nothing is changed.

import type { MultipartPage } from '../bucket/bucket.ts';
import type { FileKeys } from '../file-key.ts';
import { arrivalKey } from '../file-record.ts';
import { isUploading } from '../lifecycle/reconcile.ts';
import type { Claim, Finding } from './reconcile-record.ts';

interface JudgeUploadsContext {
  readonly keys: FileKeys;
  /** What began after this is not judged. */
  readonly beforeMs: number;
  readonly claimsById: (ids: readonly string[]) => Promise<readonly Claim[]>;
}

export async function judgeUploads(
  uploads: MultipartPage['uploads'],
  { keys, beforeMs, claimsById }: JudgeUploadsContext,
): Promise<{ readonly findings: readonly Finding[]; readonly young: number }> {
  const findings: Finding[] = [];
  const own: { readonly key: string; readonly uploadId: string; readonly fileId: string }[] = [];
  let young = 0;
  for (const { key, uploadId, initiatedAtMs } of uploads) {
    const ours = keys.read(key);
    if (ours === undefined) findings.push(ofUpload('upload-foreign', { key, uploadId }));
    else if (initiatedAtMs >= beforeMs) young += 1;
    else own.push({ key, uploadId, fileId: ours.fileId });
  }
  const ids = new Set(own.map(({ fileId }) => fileId).filter((id) => id !== ''));
  const known = new Map((await claimsById([...ids])).map((claim) => [claim.id, claim]));
  for (const upload of own) {
    if (isNeeded(upload, known.get(upload.fileId))) continue;
    findings.push({ ...ofUpload('upload-dead', upload), fileId: upload.fileId === '' ? null : upload.fileId });
  }
  return { findings, young };
}

/** Whether the upload may yet be finished. */
export function isNeeded(
  { key, uploadId }: { readonly key: string; readonly uploadId: string },
  claim: Claim | undefined,
): boolean {
  if (claim === undefined || !isUploading(claim)) return false;
  // By parts the bucket copies, too, to where it promotes: such an upload is not in the row.
  if (key !== arrivalKey(claim)) return true;
  return claim.multipartUploadId === null || claim.multipartUploadId === uploadId;
}

function ofUpload(
  kind: Finding['kind'],
  { key, uploadId }: { readonly key: string; readonly uploadId: string },
): Finding {
  return { kind, key, versionId: null, uploadId, fileId: null, sizeBytes: null, detail: null };
}
