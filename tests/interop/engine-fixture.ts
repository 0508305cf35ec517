// An engine for one test, and clients that speak to it. Everything is closed when the test ends.

import type { TestContext } from 'node:test';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { type Account, type Engine, type EngineOptions, startEngine } from '@stowage/engine';

/** Two accounts that share nothing. */
export const alice: Account = {
  id: '111111111111',
  displayName: 'alice',
  root: true,
  accessKeyId: 'AKIAALICE00000000000',
  secretAccessKey: 'alice/secret+0000000000000000000000000000',
};
export const bob: Account = {
  id: '222222222222',
  displayName: 'bob',
  root: true,
  accessKeyId: 'AKIABOB0000000000000',
  secretAccessKey: 'bob/secret+000000000000000000000000000000',
};

/** An engine in memory, whose first account is alice. */
export async function useEngine(t: TestContext, options: EngineOptions = {}): Promise<Engine> {
  const engine = await startEngine({ accounts: [alice, bob], ...options });
  t.after(() => engine.close());
  return engine;
}

/** The AWS SDK with its default settings. */
export function useSdk(t: TestContext, engine: Engine, options: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    endpoint: engine.endpoint,
    region: engine.region,
    credentials: engine.credentials,
    forcePathStyle: true,
    ...options,
  });
  t.after(() => client.destroy());
  return client;
}

/** Bytes that differ everywhere, so that a shifted or repeated piece is seen. */
export function patternBytes(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** Whether a thrown value is the SDK's error of this code and status. */
export function isSdkError(code: string, status?: number): (cause: unknown) => boolean {
  return (cause) => {
    if (!(cause instanceof Error)) return false;
    const metadata: unknown = '$metadata' in cause ? cause.$metadata : undefined;
    const actual =
      typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata ? metadata.httpStatusCode : 0;
    if (cause.name === code && (status === undefined || actual === status)) return true;
    throw new Error(`Expected ${code} ${status ?? ''}, got ${cause.name} ${String(actual)}: ${cause.message}`, {
      cause,
    });
  };
}

/** The code in an error document. */
export function errorCode(document: string): string {
  return /<Code>([^<]*)<\/Code>/.exec(document)?.[1] ?? `no code in: ${document}`;
}
