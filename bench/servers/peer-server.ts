// A server under measurement, whoever made it.

import type { SigningCredentials } from '@stowage/s3';

export interface PeerServer {
  readonly name: string;
  /** What an acknowledged write is worth: stands beside every figure. */
  readonly durability: string;
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: SigningCredentials;
  readonly pid: number;
  stop(): Promise<void>;
}
