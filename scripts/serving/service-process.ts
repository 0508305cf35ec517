// A file service as a process of its own, for tests that end one at once and benches that count its processor time. Its options come
// as JSON in the first argument; when it serves it prints one line of JSON: where, and a token to sign in with.
//   node scripts/serving/service-process.ts '{"s3":…,"database":…,"secretHex":"…","limits":…}'

import process from 'node:process';
import { type FileServiceOptions, startFileService } from '@stowage/files';

export interface ServiceProcessOptions
  extends Pick<FileServiceOptions, 's3' | 'database' | 'limits' | 'allowPrivateWebhooks'> {
  readonly secretHex: string;
  /** Under which it is known, as behind a balancer. Default: its own address. */
  readonly publicUrl?: string;
}

export interface ServiceProcessReady {
  readonly url: string;
  readonly token: string;
}

if (import.meta.main) {
  // Written by whoever started this process.
  const { secretHex, ...options } = JSON.parse(process.argv[2] ?? '{}') as ServiceProcessOptions;
  const complain = (message: string, fields: object): void => {
    process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  };
  const running = await startFileService({
    ...options,
    secret: Buffer.from(secretHex, 'hex'),
    port: 0,
    log: { info: () => undefined, warn: complain, error: complain },
  });
  const ready: ServiceProcessReady = {
    url: `http://127.0.0.1:${running.port}`,
    token: await running.service.issueSignInToken(),
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}
