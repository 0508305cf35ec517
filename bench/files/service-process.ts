// The file service as a process of its own, for benches that count its processor time. Options come as JSON in the first argument; when it
// serves it prints one line of JSON: where, and a token to sign in with.

import process from 'node:process';
import { type FileServiceOptions, startFileService } from '@stowage/files';

export interface BenchServiceOptions extends Pick<FileServiceOptions, 's3' | 'database' | 'limits'> {
  readonly secretHex: string;
}

export interface BenchServiceReady {
  readonly url: string;
  readonly token: string;
}

if (import.meta.main) {
  // Written by the bench that started this process.
  const { secretHex, ...options } = JSON.parse(process.argv[2] ?? '{}') as BenchServiceOptions;
  const complain = (message: string, fields: object): void => {
    process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  };
  const running = await startFileService({
    ...options,
    secret: Buffer.from(secretHex, 'hex'),
    port: 0,
    log: { info: () => undefined, warn: complain, error: complain },
  });
  const ready: BenchServiceReady = { url: running.url, token: await running.service.issueSignInToken() };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}
