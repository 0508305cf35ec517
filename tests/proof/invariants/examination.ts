// What an invariant is judged by: the facts, what is known from elsewhere, and what earlier examinations saw.

import type { Facts, FileFacts } from './facts.ts';
import type { History } from './history.ts';
import type { KeyReader } from './object-keys.ts';

/** An answer of the service to somebody who wants at the bytes of a file. */
export interface DoorAnswer {
  /** Which way, for the report. */
  readonly door: string;
  readonly status: number;
  /** Whether it gave bytes, or an address of bytes. */
  readonly opened: boolean;
}

/** Who can ask the service as a client does. Each asks by every way that there is. */
export interface Doors {
  asOwner(file: FileFacts): Promise<readonly DoorAnswer[]>;
  /** Somebody who is signed in to another tenant. */
  asStranger(file: FileFacts): Promise<readonly DoorAnswer[]>;
}

/** What whoever made the world knows beside what the service wrote down. */
export interface Witnesses {
  /** What the scanner last said of bytes with this SHA-256, in hexadecimal. Absent: no scanner was configured. */
  readonly verdictOn?: (sha256: string) => 'clean' | 'infected' | undefined;
  /** URLs that can write a key, and until when they are good. */
  readonly handedOut?: readonly { readonly key: string; readonly expiresAtMs: number }[];
  /** Objects of others in the same bucket: they are there still, and as they were. */
  readonly foreign?: readonly { readonly key: string; readonly etag: string }[];
  readonly doors?: Doors;
}

export interface Examination extends Facts {
  readonly keys: KeyReader;
  readonly nowMs: number;
  /** How far clocks that wrote are apart: of what two of them wrote, so near times say no order. */
  readonly clockSpreadMs: number;
  /** Whose rows these are; `undefined`: everybody's. */
  readonly tenantId: string | undefined;
  /** Nothing is at work, and all that was due was done. */
  readonly settled: boolean;
  readonly witnesses: Witnesses;
  readonly foreignNow: ReadonlyMap<string, string>;
  readonly history: History | undefined;
}

/** A file as a report names it. */
export function named({ id, state, objectKey }: Pick<FileFacts, 'id' | 'state' | 'objectKey'>): string {
  return `file ${id} (${state}, ${objectKey})`;
}
