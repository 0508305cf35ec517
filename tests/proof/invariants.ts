// The eleven invariants of the file service (design §6), proven on the database and the bucket themselves, read beside the service.
//   const violations = await checkInvariants({ database, bucket, secret, nowMs });
// Every invariant is judged by the rows and by S3; what the rows cannot know (what the scanner saw, which URLs were handed out, what
// lay in the bucket before) is asked of witnesses, where the caller has any. Reads only.

import { appliedVerdicts, closedDoors, confirmedBytes, purgedBytes, readyBytes } from './invariants/bytes.ts';
import type { Examination, Witnesses } from './invariants/examination.ts';
import { readFacts } from './invariants/facts.ts';
import type { History } from './invariants/history.ts';
import { keysUsedOnce, rowsBeforeUrls, tenantsApart } from './invariants/keys.ts';
import { openKeyReader } from './invariants/object-keys.ts';
import type { ProofBucket } from './invariants/proof-bucket.ts';
import type { ProofDatabase } from './invariants/proof-database.ts';
import { effectsInOutbox, looksByItself, sumsOfRows } from './invariants/rows.ts';

interface Violation {
  /** Of design §6, 1 to 11. */
  readonly invariant: number;
  /** The invariant's clause. */
  readonly clause: string;
  /** Which rows and keys break it. */
  readonly what: string;
}

export interface CheckOptions {
  readonly database: ProofDatabase;
  readonly bucket: ProofBucket;
  /** The service's: keys are judged by it. */
  readonly secret: Uint8Array;
  /** By the clock of the instance that is first. */
  readonly nowMs: number;
  /** How far the clocks of instances are apart, also of those that wrote before. Default 0. */
  readonly clockSpreadMs?: number;
  /** Default: all tenants. */
  readonly tenantId?: string;
  /** Nothing is at work, and all that was due was done: then what was due and was not done is a violation too. Default false. */
  readonly settled?: boolean;
  readonly witnesses?: Witnesses;
  /** Carried from one check to the next: what changed in between is judged too. */
  readonly history?: History;
}

type Check = (examination: Examination) => Iterable<string> | AsyncIterable<string>;

const invariants: readonly { readonly clause: string; readonly check: Check }[] = [
  { clause: 'ready means that the object exists as the row says, and those bytes were scanned', check: readyBytes },
  { clause: 'no download URL, preview, share or archive for anything not ready', check: closedDoors },
  { clause: 'row and quota reservation commit before anything is signed', check: rowsBeforeUrls },
  { clause: 'keys are never reused; foreign objects are never deleted', check: keysUsedOnce },
  { clause: 'events and client calls are hints', check: looksByItself },
  { clause: 'only a matching HEAD means success', check: confirmedBytes },
  { clause: 'every outward effect goes through an outbox row', check: effectsInOutbox },
  { clause: 'purging, then all versions and previews, then purged', check: purgedBytes },
  { clause: 'used and reserved equal the sums over files', check: sumsOfRows },
  { clause: 'a verdict applies only if file, version and fence match', check: appliedVerdicts },
  { clause: "a tenant never sees another's row or key", check: tenantsApart },
];

/** Every violation that there is, by invariant. */
export async function checkInvariants(options: CheckOptions): Promise<readonly Violation[]> {
  const {
    database,
    bucket,
    secret,
    nowMs,
    clockSpreadMs = 0,
    tenantId,
    settled = false,
    witnesses = {},
    history,
  } = options;
  const facts = await readFacts(database, bucket, tenantId);
  const foreignNow = new Map<string, string>();
  for (const { key } of witnesses.foreign ?? []) {
    const stored = await bucket.get(key, null);
    if (stored !== undefined) foreignNow.set(key, stored.etag);
  }
  const examination: Examination = {
    ...facts,
    keys: openKeyReader(secret),
    nowMs,
    clockSpreadMs,
    tenantId,
    settled,
    witnesses,
    foreignNow,
    history,
  };
  const violations: Violation[] = [];
  for (const [index, { clause, check }] of invariants.entries()) {
    for await (const what of check(examination)) violations.push({ invariant: index + 1, clause, what });
  }
  return violations;
}

/** Throws an error that names each violation. */
export async function assertInvariants(options: CheckOptions): Promise<void> {
  const violations = await checkInvariants(options);
  if (violations.length === 0) return;
  throw new Error(violations.map(renderViolation).join('\n'));
}

export function renderViolation({ invariant, clause, what }: Violation): string {
  return `Invariant ${invariant} (${clause}): ${what}`;
}
