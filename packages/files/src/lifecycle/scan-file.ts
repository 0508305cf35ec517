// Has a scanner judge the bytes of a file, as its policy wants it. Design §6, invariants 1 and 10: what is judged is read by the
// ETag that is served, and a verdict moves the row only if the row is still the one that was judged.

import type { Bucket } from '../bucket/bucket.ts';
import { isPreviewable } from '../content/content-rules.ts';
import { type FileRecord, objectOf, unscannedPrefix } from '../file-record.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import type { Policies } from '../policies.ts';
import type { Scanner } from '../scanning/scanner.ts';
import type { FileEvent } from './file-lifecycle.ts';
import { whatBecameOf } from './missing-bytes.ts';

export interface ScanFileOptions {
  readonly bucket: Pick<Bucket, 'read' | 'head' | 'listKeys'>;
  readonly policies: Policies;
  readonly scanner: Scanner | undefined;
  readonly limits: Pick<FilesLimits, 'scanHoldMs' | 'scanMaxBytes'>;
  readonly clock: () => number;
  readonly log: FilesLog;
}

/** What stands in the row where nothing judged the bytes. */
const unscanned = {
  noScanner: `${unscannedPrefix}no scanner is configured`,
  off: `${unscannedPrefix}the policy does not want it`,
  away: `${unscannedPrefix}the scanner was away`,
} as const;

/** The scanner does not answer at all: whatever the file is, it is none of its fault. */
export class ScannerAwayError extends Error {
  constructor(cause: unknown) {
    super(`The scanner is away: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ScannerAwayError';
  }
}

/** Throws when the scanner is away and the file has to wait for it, and `storage-unavailable`. `missing`: there is nothing to be judged. */
export async function scanFile(file: FileRecord, options: ScanFileOptions): Promise<FileEvent | 'missing'> {
  const { scanner, policies, limits, clock, log } = options;
  const wanted = policies.of(file.category).scan ?? (scanner === undefined ? 'off' : 'required');
  const pass = (policy: string): FileEvent => ({
    kind: 'scanned',
    policy,
    previewable: isPreviewable(file),
  });
  if (scanner === undefined) {
    if (wanted === 'required')
      return { kind: 'scan-failed', reason: 'The policy wants files scanned, and no scanner is configured.' };
    return pass(unscanned.noScanner);
  }
  if (wanted === 'off') return pass(unscanned.off);
  const cannot = (reason: string): FileEvent =>
    wanted === 'required' ? { kind: 'scan-failed', reason } : pass(unscannedPrefix + reason);
  if (file.sizeBytes > limits.scanMaxBytes) {
    return cannot(`The file has ${file.sizeBytes} bytes; the scanner is given at most ${limits.scanMaxBytes}.`);
  }
  let event: FileEvent | 'gone';
  try {
    event = await judge(file, scanner, options, { pass, cannot });
  } catch (error) {
    const waitedMs = clock() - (file.scanningSinceMs ?? file.updatedAtMs);
    if (wanted === 'required' || waitedMs < limits.scanHoldMs) throw error;
    log.warn('A file is released unscanned: the scanner is away.', {
      fileId: file.id,
      waitedMs,
      ...errorFields(error),
    });
    return pass(unscanned.away);
  }
  if (event !== 'gone') return event;
  if ((await whatBecameOf(file, options)) === 'missing') return 'missing';
  // Nothing can bring them back: the key is written once.
  return { kind: 'scan-failed', reason: 'The bytes in the bucket are no longer those that were checked.' };
}

async function judge(
  file: FileRecord,
  scanner: Scanner,
  { bucket }: { readonly bucket: Pick<Bucket, 'read'> },
  { pass, cannot }: { readonly pass: (policy: string) => FileEvent; readonly cannot: (reason: string) => FileEvent },
): Promise<FileEvent | 'gone'> {
  const scannedBy = await scanner.describe().catch((cause: unknown) => Promise.reject(new ScannerAwayError(cause)));
  if (file.sizeBytes === 0) return pass(scannedBy);
  const etag = file.objectEtag ?? '';
  const verdict = await scanner.scan((signal) => bucket.read(objectOf(file), { etag, signal }));
  if (verdict === 'gone') return 'gone';
  switch (verdict.verdict) {
    case 'clean':
      return pass(scannedBy);
    case 'infected':
      return { kind: 'infected', signature: verdict.signature };
    case 'unscannable':
      return cannot(verdict.reason);
  }
}
