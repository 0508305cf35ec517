// Claim: no page, no search and no rename costs more in a tenant of a million files than in one of a thousand, but for what an index
// is deeper. The service runs in this process and is asked one request at a time, through its whole pipeline; the database is durable.

import { type FileService, openFileService } from '@stowage/files';
import { writePlace } from '../../packages/files/src/tree/list-cursor.ts';
import type { GrownTenantFigure } from '../results.ts';
import type { StowageServer } from '../servers/stowage-server.ts';
import { benchLimits, benchS3, benchSecret } from './bench-service.ts';
import type { BenchDatabase } from './databases.ts';
import { commonWord, type FilledTenant, fillTenant, rareWord } from './fill-tenant.ts';
import { measureCalls } from './measure-calls.ts';

const calls = 60;
/** A call that takes longer than all of them may is not repeated as often. */
const maxMs = 15_000;
const origin = 'http://files.bench';

type Ask = (method: string, path: string, body?: object) => Promise<unknown>;

export async function measureGrown(
  engine: StowageServer,
  database: BenchDatabase,
  steps: readonly number[],
): Promise<GrownTenantFigure[]> {
  const settings = await database.create();
  const open = (): Promise<FileService> =>
    openFileService({
      s3: benchS3(engine, `grown-${database.name.toLowerCase()}-${Date.now()}`),
      endpoint: { kind: 'engine', probing: 'forbidden' },
      database: settings,
      secret: benchSecret,
      limits: benchLimits,
      background: false,
    });
  const figures: GrownTenantFigure[] = [];
  let templateId: string | undefined;
  let from = 0;
  for (const files of steps) {
    if (templateId === undefined) {
      const service = await open();
      templateId = await uploadOne(await signIn(service), service);
      await service.close();
    }
    const startedAt = performance.now();
    const filled = await fillTenant({
      database: settings,
      secret: benchSecret,
      templateId,
      from,
      to: files,
      nowMs: Date.now(),
    });
    process.stderr.write(
      `${database.name}: filled up to ${files} in ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`,
    );
    from = files;
    const service = await open();
    try {
      const ask = await signIn(service);
      for (const [what, call] of Object.entries(callsOf(ask, filled))) {
        await call(0);
        const { p50Ms, p99Ms } = await measureCalls({ lanes: 1, calls, milliseconds: maxMs }, call);
        figures.push({ database: database.name, files, what, p50Ms, p99Ms });
        process.stderr.write(
          `${database.name} ${files}: ${what} ${p50Ms.toPrecision(3)} / ${p99Ms.toPrecision(3)} ms\n`,
        );
      }
    } finally {
      await service.close();
    }
  }
  return figures;
}

/** What is measured, by what it is called. */
function callsOf(ask: Ask, filled: FilledTenant): Readonly<Record<string, (number: number) => Promise<unknown>>> {
  const { sample, largeFolderId, smallFolderId } = filled;
  const some = (number: number): FilledTenant['sample'][number] => {
    const found = sample[(number * 7_919) % sample.length];
    if (found === undefined) throw new Error('The sample is empty.');
    return found;
  };
  const list = (query: string) => () => ask('GET', `/v1/files?limit=50&${query}`);
  const search = (query: string) => () => ask('GET', `/v1/search?limit=50&${query}`);
  let renamed = 0;
  return {
    'list: the newest': list(''),
    'list: by name': list('sort=name'),
    'list: the largest': list('sort=-sizeBytes'),
    'list: by name, from the middle': (number) => {
      const { id, name } = some(number);
      return ask(
        'GET',
        `/v1/files?limit=50&sort=name&cursor=${encodeURIComponent(writePlace({ value: name, id }, 'name'))}`,
      );
    },
    'list: the newest, from the middle': (number) => {
      const { id, createdAtMs } = some(number);
      const cursor = encodeURIComponent(writePlace({ value: createdAtMs, id }, '-createdAt'));
      return ask('GET', `/v1/files?limit=50&cursor=${cursor}`);
    },
    'list: a folder with a tenth of all, by name': list(`folderId=${largeFolderId}&sort=name`),
    'list: that folder, the newest': list(`folderId=${largeFolderId}`),
    'list: that folder, the largest': list(`folderId=${largeFolderId}&sort=-sizeBytes`),
    'list: a small folder, the newest': list(`folderId=${smallFolderId}`),
    'list: names that hold a common text': list(`name=${commonWord}`),
    'list: names that hold a rare text': list(`name=${rareWord.slice(2)}`),
    'list: names that hold what none does': list('name=qqqq'),
    'search: a common word': search(`q=${commonWord}`),
    'search: the beginning of many words': search('q=ba'),
    'search: two words': search(`q=${commonWord}%20pdf`),
    'search: a rare word': search(`q=${rareWord}`),
    'search: a common and a rare word': search(`q=${commonWord}%20${rareWord}`),
    'search: what none has': search('q=qqqq'),
    'search: a common word, in a small folder': search(`q=${commonWord}&folderId=${smallFolderId}`),
    'search: a common word, by a rare tag': search(`q=${commonWord}&tag=approved`),
    'search: a common word, by a type that none has': search(`q=${commonWord}&type=video%2Fmp4`),
    'rename a file': (number) => {
      renamed += 1;
      return ask('PATCH', `/v1/files/${some(number).id}`, { name: `renamed ${renamed} of ${Date.now()}.txt` });
    },
    'move a file': (number) =>
      ask('PATCH', `/v1/files/${some(number).id}`, {
        folderId: number % 2 === 0 ? largeFolderId : smallFolderId,
        onConflict: 'keep-both',
      }),
    'rename the folder with a tenth of all': () => {
      renamed += 1;
      return ask('PATCH', `/v1/folders/${largeFolderId}`, { name: `Renamed ${renamed} of ${Date.now()}` });
    },
    'begin an upload': () => ask('POST', '/v1/uploads', { name: 'one more.txt', sizeBytes: 10 }),
    'count: a small folder': () => ask('GET', `/v1/folders/${smallFolderId}`),
    'count: the folder with a tenth of all': () => ask('GET', `/v1/folders/${largeFolderId}`),
    'count: what the tenant takes': () => ask('GET', '/v1/admin/quotas'),
    'count: the metrics': () => ask('GET', '/metrics'),
  };
}

async function signIn(service: FileService): Promise<Ask> {
  let cookie = '';
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await service.fetch(
      new Request(origin + path, {
        method,
        headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
      { clientAddress: '127.0.0.1' },
    );
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    if (cookie === '') cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
  await ask('POST', '/v1/session', { token: await service.issueSignInToken() });
  return ask;
}

/** A file that the service itself made: what it writes is what is written by the million. */
async function uploadOne(ask: Ask, service: FileService): Promise<string> {
  const bytes = Buffer.from('What is in it does not matter.');
  // The contract's tests hold the service to these.
  const upload = (await ask('POST', '/v1/uploads', {
    name: 'first.txt',
    sizeBytes: bytes.length,
    contentType: 'text/plain',
  })) as {
    readonly id: string;
    readonly request: { readonly method: string; readonly url: string; readonly headers: Record<string, string> };
  };
  const { method, url, headers } = upload.request;
  const sent = await fetch(url, { method, headers, body: bytes });
  if (!sent.ok) throw new Error(`The engine answered ${sent.status}: ${await sent.text()}`);
  await ask('POST', `/v1/uploads/${upload.id}/complete`);
  await service.tick();
  return upload.id;
}
