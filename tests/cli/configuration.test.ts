// Settings from file, environment and options: what wins, what is refused and how it is told.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nearestName } from '@stowage/contract';
import type { StowageConfiguration } from 'stowage';
import { readConfiguration } from '../../packages/cli/src/configuration/read-configuration.ts';
import { settingNames, settings } from '../../packages/cli/src/configuration/settings.ts';

const secret = 'ab'.repeat(32);

describe('the configuration', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-configuration-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  const read = (
    file: string | undefined,
    variables: Readonly<Record<string, string>> = {},
    options: Parameters<typeof readConfiguration>[0]['options'] = {},
  ) => readConfiguration({ command: 'serve', file, variables, options });

  it('takes an option before the environment before the file', async () => {
    const file = await write(
      'a.json',
      JSON.stringify({ host: 'file', port: 1, s3: { bucket: 'from-file' }, log: { level: 'warn' } }),
    );
    const variables = { STOWAGE_HOST: 'environment', STOWAGE_PORT: '2', STOWAGE_BUCKET: '' };
    const { settings: read1 } = await read(file, variables, { port: 3 });
    assert.equal(read1.host, 'environment');
    assert.equal(read1.port, 3);
    assert.equal(read1['s3.bucket'], 'from-file');
    assert.equal(read1['log.level'], 'warn');
  });

  it('reads a module, and a policy with a pattern', async () => {
    const file = await write(
      'b.ts',
      `const bucket: string = 'files';
       export default { s3: { bucket }, policies: { scans: { namePattern: /^a/ }, texts: { namePattern: '^b' } } };`,
    );
    const { settings: found } = await read(file);
    assert.equal(found.policies?.scans?.namePattern?.test('abc'), true);
    assert.equal(found.policies?.texts?.namePattern?.test('abc'), false);
    const typed = {
      s3: { bucket: 'files' },
      secret: { file: '/x' },
      policies: { a: { scan: 'off' } },
    } satisfies StowageConfiguration;
    assert.ok(typed);
  });

  it('names what the environment stands for, whatever its kind', async () => {
    const { settings: found } = await read(undefined, {
      STOWAGE_BUCKET: 'files',
      AWS_DEFAULT_REGION: 'eu-central-1',
      STOWAGE_S3_PATH_STYLE: 'no',
      STOWAGE_TRUSTED_PROXIES: 'loopback, 10.0.0.0/8',
      STOWAGE_LIMITS: '{"urlLifeMs": 60000}',
      STOWAGE_SHUTDOWN_SECONDS: '5',
    });
    assert.deepEqual(found, {
      's3.bucket': 'files',
      's3.region': 'eu-central-1',
      's3.pathStyle': false,
      trustedProxies: ['loopback', '10.0.0.0/8'],
      limits: { urlLifeMs: 60_000 },
      shutdownSeconds: 5,
    });
  });

  it('tells everything that is wrong at once, with the nearest name, and repeats no secret', async () => {
    const file = await write(
      'c.json',
      JSON.stringify({
        prot: 1,
        port: 99_999,
        s3: { buket: 'x', endpoint: '127.0.0.1:9000' },
        publicUrl: 'files.example.com',
        secret: 'not-long-enough',
        policies: {
          images: {
            tipes: ['image/*'],
            maxSizeBytes: '5',
            scan: 'maybe',
            keepVersions: -1,
            namePattern: 7,
            strategies: [],
          },
          'My Files': {},
        },
        limits: { urlLifMs: 5 },
        eventsIn: { secret: 'tell-nobody' },
        issuers: { company: { issuer: 'https://id.example.com', signIn: { name: 'x', clientSecret: 5 } } },
        database: { url: 'mysql://user:hunter2@host/db' },
      }),
    );
    const refusal = await read(file, { STOWAGE_LOG_LEVEL: 'loud', AWS_ACCESS_KEY_ID: 'AKIAX' }).then(
      () => assert.fail('it was taken'),
      (error: unknown) => String(error),
    );
    for (const line of [
      'prot: there is no such setting; did you mean port?',
      's3.buket: there is no such setting; did you mean s3.bucket?',
      'port: 99999 came; expected a port from 1 to 65535',
      'secret: 15 characters came; expected at least 32 random bytes',
      'policies.images.maxSizeBytes: "5" came; expected a number.',
      'policies.images.scan: "maybe" came; expected one of required, when-available, off.',
      'policies.images.keepVersions: -1 came; expected a number of at least 0.',
      'policies.images.namePattern: 7 came; expected',
      'policies.images.strategies: [] came; expected a list of at least 1 entry.',
      'policies.My Files: ',
      'policies.images.tipes: there is no such name; did you mean types?',
      'limits.urlLifMs: there is no such name; did you mean urlLifeMs?',
      'eventsIn.secret: 11 characters came',
      'issuers.company.signIn.clientId: nothing came',
      'issuers.company.signIn.clientSecret: a number came',
      'database.url: 28 characters came; expected postgres://',
      'STOWAGE_LOG_LEVEL: "loud" came; expected one of debug',
      's3.bucket: nothing came',
      's3.endpoint: "127.0.0.1:9000" came',
      'publicUrl: "files.example.com" came',
      'only one came',
    ]) {
      assert.ok(refusal.includes(line), `${line}\n${refusal}`);
    }
    assert.doesNotMatch(refusal, /Invalid|Too small|received|>=/, 'our words, not those of the schema library');
    for (const kept of ['not-long-enough', 'tell-nobody', 'hunter2']) assert.ok(!refusal.includes(kept), kept);
  });

  it('reads secrets from files, and says which is missing', async () => {
    const path = await write('secret', `${secret}\n`);
    const inFile = await write('d.json', JSON.stringify({ s3: { bucket: 'files' }, secret: { file: path } }));
    assert.equal((await read(inFile)).settings.secret, secret);
    assert.equal(
      (await read(undefined, { STOWAGE_BUCKET: 'files', STOWAGE_SECRET_FILE: path })).settings.secret,
      secret,
    );
    const beside = await write(
      'beside.json',
      JSON.stringify({ s3: { bucket: 'files' }, secret: { file: './secret' } }),
    );
    assert.equal((await read(beside)).settings.secret, secret, 'seen from the file that names it');
    await assert.rejects(
      read(undefined, { STOWAGE_BUCKET: 'files', STOWAGE_SECRET_FILE: join(folder, 'none') }),
      /cannot be read/,
    );
    await assert.rejects(
      read(undefined, { STOWAGE_BUCKET: 'files', STOWAGE_SECRET_FILE: path, STOWAGE_SECRET: secret }),
      /Set one of both/,
    );
  });

  it('wants the secret with PostgreSQL, and both parts of a key', async () => {
    const postgres = { STOWAGE_BUCKET: 'files', DATABASE_URL: 'postgres://user:pw@host/db' };
    await assert.rejects(read(undefined, postgres), /secret: nothing came/);
    await read(undefined, { ...postgres, STOWAGE_SECRET: secret });
    await assert.rejects(
      read(undefined, { STOWAGE_BUCKET: 'files', AWS_SECRET_ACCESS_KEY: 'secretsecret' }),
      /only one came/,
    );
  });

  it('remarks on variables that mean nothing, and on settings of the other command', async () => {
    const file = await write('e.json', JSON.stringify({ s3: { bucket: 'files' }, engine: { port: 1 } }));
    const { remarks } = await read(file, { STOWAGE_BUKET: 'x', STOWAGE_SERVICE_HOST: '10.0.0.1', STOWAGE_TEST_X: '1' });
    assert.equal(remarks.length, 2, remarks.join('\n'));
    assert.match(remarks.join('\n'), /STOWAGE_BUKET means nothing here; did you mean STOWAGE_BUCKET\?/);
    assert.match(remarks.join('\n'), /engine\.port is read by `stowage start` alone/);
  });

  it('says what is wrong with a file that cannot be read', async () => {
    await assert.rejects(read(join(folder, 'none.json')), /there is no such file/);
    await assert.rejects(read(await write('f.json', '{')), /cannot be read: .*JSON/);
    await assert.rejects(read(await write('g.yaml', '')), /its name ends in "\.yaml"/);
    await assert.rejects(read(await write('h.mjs', 'export const a = 1;')), /no default export/);
    await assert.rejects(read(await write('i.json', '[]')), /The file: \[\] came; expected an object/);
  });

  it('has a summary, an expectation and a variable of its own for each setting', () => {
    const variables = settingNames.flatMap((name) => ('variable' in settings[name] ? [settings[name].variable] : []));
    assert.equal(new Set(variables).size, variables.length);
    for (const name of settingNames) assert.match(settings[name].summary, /[.)]$/, name);
  });
});

describe('the nearest name', () => {
  it('is found over letters that are wrong, missing, swapped or of another case', () => {
    const names = ['port', 'publicUrl', 's3.bucket'];
    for (const [given, meant] of [
      ['prot', 'port'],
      ['publicURL', 'publicUrl'],
      ['public_url', 'publicUrl'],
      ['s3.buket', 's3.bucket'],
      ['colour', undefined],
      ['port'.repeat(100), undefined],
    ] as const) {
      assert.equal(nearestName(given, names), meant, given);
    }
  });
});
