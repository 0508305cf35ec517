// A server under measurement, whoever made it.

import type { SigningCredentials } from '@stowage/s3';

/** What a peer can be asked for. */
export type Ability = 'objects' | 'ranges' | 'list' | 'multipart';

export interface PeerServer {
  /** Short, as it stands in a table. */
  readonly name: string;
  /** What an acknowledged write is worth: stands beside every figure. */
  readonly durability: string;
  readonly endpoint: string;
  /** There already, and empty. */
  readonly bucket: string;
  /** One of its own for what is listed. */
  readonly listBucket: string;
  /** Absent: it takes unsigned requests, which are then as long as signed ones. */
  readonly credentials: SigningCredentials | undefined;
  /** Of all its processes, at this moment. */
  pids(): readonly number[];
  readonly abilities: ReadonlySet<Ability>;
  /** What a PUT answers. Default `[200]`. */
  readonly putStatuses?: readonly number[];
  /** Whether the ETag is the MD5 of the body, and the bytes come back. Default true. */
  readonly keepsBytes?: boolean;
  readonly etagIsMd5?: boolean;
  /** It lists so slowly that it is asked for fewer keys, over fewer connections. Default: as the workload says. */
  readonly slowListing?: { readonly keys: number; readonly connections: number };
  stop(): Promise<void>;
}

export const bucketNames = { bucket: 'bench', listBucket: 'bench-list' } as const;

export const everyAbility: ReadonlySet<Ability> = new Set<Ability>(['objects', 'ranges', 'list', 'multipart']);
