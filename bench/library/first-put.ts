// A fresh process that does what a test suite does with an S3 server of its own: imports the library, starts it, and puts
// an object. It sends how long that took, and what memory it holds afterwards, at rest.

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FirstPutOrder {
  readonly library: 'stowage' | 's3rver';
  /** File URL of the library's entry; a path, for s3rver. */
  readonly entry: string;
  readonly port: number;
  readonly directory: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Path and query, signed for this port. */
  readonly bucketTarget: string;
  readonly objectTarget: string;
}

export interface FirstPutResult {
  readonly importMs: number;
  /** From the import's beginning until the server listens. */
  readonly startedMs: number;
  /** From the import's beginning until the first PUT is answered. */
  readonly firstPutMs: number;
  readonly idleBytes: number;
}

const restMs = 1_000;

process.once('message', (order: FirstPutOrder) => {
  run(order).then(
    (result) => process.send?.(result, () => process.disconnect()),
    (error: unknown) => {
      process.send?.({ error: String(error) }, () => process.disconnect());
    },
  );
});

async function run(order: FirstPutOrder): Promise<FirstPutResult> {
  const begun = performance.now();
  const { importMs, close } = order.library === 'stowage' ? await startOurs(order) : await startS3rver(order);
  const startedMs = performance.now() - begun;
  await put(order.port, order.bucketTarget, '');
  await put(order.port, order.objectTarget, 'the first object');
  const firstPutMs = performance.now() - begun;
  await sleep(restMs);
  const idleBytes = process.memoryUsage.rss();
  await close();
  return { importMs, startedMs, firstPutMs, idleBytes };
}

interface Started {
  readonly importMs: number;
  close(): Promise<void>;
}

async function startOurs({ entry, port, credentials }: FirstPutOrder): Promise<Started> {
  const begun = performance.now();
  // Proof of the cast: the entry is that of @stowage/engine.
  const { startEngine } = (await import(entry)) as typeof import('@stowage/engine');
  const importMs = performance.now() - begun;
  const engine = await startEngine({ port, credentials });
  return { importMs, close: () => engine.close() };
}

interface S3rver {
  run(): Promise<unknown>;
  close(): Promise<void>;
}

async function startS3rver({ entry, port, directory }: FirstPutOrder): Promise<Started> {
  const begun = performance.now();
  // Proof of the cast: s3rver's documented class.
  const Server = createRequire(import.meta.url)(entry) as new (options: object) => S3rver;
  const importMs = performance.now() - begun;
  const server = new Server({ address: '127.0.0.1', port, silent: true, directory });
  await server.run();
  return { importMs, close: () => server.close() };
}

async function put(port: number, path: string, body: string): Promise<void> {
  const { request } = await import('node:http'); // Both libraries have loaded it.
  await new Promise<void>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method: 'PUT', agent: false }, (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`PUT answered ${response.statusCode}.`)),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
