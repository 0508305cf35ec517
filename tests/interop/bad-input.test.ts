// What no well-meaning client sends, over bare sockets. Each time: a clear S3 error or a closed connection, nothing stored,
// and a server that goes on answering.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { it, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Engine, type EngineOptions, type LogFields, startEngine } from '@stowage/engine';
import { alice } from './engine-fixture.ts';
import { presignedTarget, RawClient, signedHead } from './raw-client.ts';

const bucket = 'bad-input';

interface Setting {
  readonly engine: Engine;
  readonly open: () => RawClient;
}

/** Whatever a test sends, afterwards the engine still serves. */
async function useSetting(
  t: TestContext,
  limits: EngineOptions['limits'] = {},
  log?: EngineOptions['log'],
): Promise<Setting> {
  const engine = await startEngine({
    accounts: [alice],
    limits: { lingerMs: 100, ...limits },
    ...(log === undefined ? {} : { log }),
  });
  await engine.store.createBucket({ name: bucket, owner: alice.id, region: engine.region });
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    const health = await fetch(`${engine.endpoint}/_stowage/health`);
    assert.equal(health.status, 200);
    await health.text();
    await engine.close();
  });
  const open = (): RawClient => {
    const client = new RawClient(engine);
    clients.push(client);
    return client;
  };
  return { engine, open };
}

function keysIn(engine: Engine): string[] {
  const page = engine.store.listObjects({ bucket, prefix: '', delimiter: '', after: '', limit: 1000 });
  return page.objects.map((object) => object.key);
}

function putHead(engine: Engine, headers: string, key = 'k'): string {
  return `PUT ${presignedTarget(engine, 'PUT', `/${bucket}/${key}`)} HTTP/1.1\r\nhost: ${new URL(engine.endpoint).host}\r\n${headers}\r\n`;
}

it('a body that ends early stores nothing', async (t) => {
  const { engine, open } = await useSetting(t);
  const gone = open().send(`${putHead(engine, 'content-length: 100\r\n')}only this`);
  await setTimeout(30);
  gone.close();
  const half = open().send(`${putHead(engine, 'content-length: 100\r\n')}only this`);
  await setTimeout(30);
  half.socket.end();
  const answer = await half.answer({ untilClosed: true });
  assert.deepEqual([answer.status, answer.code], [400, 'IncompleteBody']);
  assert.deepEqual(keysIn(engine), []);
});

it('a client that stops within a body is told of as debug, one that sends nonsense as a warning', async (t) => {
  const told: string[] = [];
  const note = (level: string) => (message: string, fields: LogFields) => {
    if (message === 'request refused') told.push(`${level} ${fields.code}`);
  };
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const { engine, open } = await useSetting(t, {}, log);
  const half = open().send(`${putHead(engine, 'content-length: 100\r\n')}only this`);
  await setTimeout(30);
  half.socket.end();
  await half.answer({ untilClosed: true });
  await open().send('nonsense\r\n\r\n').answer({ untilClosed: true });
  assert.deepEqual(told, ['debug IncompleteBody', 'warn BadRequest']);
});

it('lengths that are none are refused', async (t) => {
  const { engine, open } = await useSetting(t);
  const ask = async (headers: string) => {
    const { status, code } = await open().send(putHead(engine, headers)).answer({ untilClosed: true });
    return `${status} ${code}`;
  };
  assert.equal(await ask('content-length: -1\r\n'), '400 BadRequest');
  assert.equal(await ask('content-length: 1x\r\n'), '400 BadRequest');
  assert.equal(await ask('content-length: 1\r\ncontent-length: 2\r\n'), '400 BadRequest');
  assert.equal(await ask('content-length: 1\r\ntransfer-encoding: chunked\r\n'), '400 BadRequest');
  assert.equal(await ask('connection: close\r\n'), '411 MissingContentLength');
  assert.equal(await ask('connection: close\r\ncontent-length: 9999999999999\r\n'), '400 EntityTooLarge');
  assert.deepEqual(keysIn(engine), []);
});

it('aws-chunked bodies that break their framing are refused', async (t) => {
  const { engine, open } = await useSetting(t);
  const ask = async (body: string, decodedLength = '5') => {
    const head = signedHead(engine, 'PUT', `/${bucket}/k`, {
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': decodedLength,
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
      payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    });
    const { status, code } = await open().send(`${head}content-length: ${body.length}\r\n\r\n${body}`).answer();
    return `${status} ${code}`;
  };
  const whole = '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';
  assert.equal(await ask(whole.replace('5\r\n', '4\r\n')), '400 InvalidRequest');
  assert.equal(await ask(whole, '6'), '400 IncompleteBody');
  assert.equal(await ask(whole, '4'), '400 IncompleteBody');
  assert.equal(await ask(whole, 'many'), '400 InvalidArgument');
  assert.equal(await ask(whole.replace('NhCmhg', 'AAAAAA')), '400 BadDigest');
  assert.equal(await ask(whole.slice(0, 10)), '400 IncompleteBody');
  assert.equal(await ask('zz\r\n'), '400 InvalidRequest');
  assert.deepEqual(keysIn(engine), []);
  assert.equal(await ask(whole), '200 ');
});

it('what is no request is answered as one', async (t) => {
  const { engine, open } = await useSetting(t);
  const host = `host: ${new URL(engine.endpoint).host}\r\n`;
  const ask = async (text: string) => {
    const { status, code } = await open().send(text).answer();
    return `${status} ${code}`;
  };
  assert.equal(await ask('hello\r\n\r\n'), '400 BadRequest');
  assert.equal(await ask('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'), '400 BadRequest');
  assert.equal(await ask('GET / HTTP/1.1\r\n\r\n'), '400 InvalidRequest');
  assert.equal(await ask(`GET * HTTP/1.1\r\n${host}\r\n`), '400 InvalidURI');
  assert.equal(await ask(`GET http://example.com/ HTTP/1.1\r\n${host}\r\n`), '403 AccessDenied');
  assert.equal(await ask(`PATCH /${bucket}/k HTTP/1.1\r\n${host}\r\n`), '405 MethodNotAllowed');
  assert.equal(await ask(`GET /${bucket}/%ff HTTP/1.1\r\n${host}\r\n`), '400 InvalidURI');
  assert.equal(await ask(`GET /${bucket}/${'k'.repeat(1025)} HTTP/1.1\r\n${host}\r\n`), '400 KeyTooLongError');
  assert.equal(await ask(`GET /${'k'.repeat(17_000)} HTTP/1.1\r\n${host}\r\n`), '400 InvalidURI');
  const headers = Array.from({ length: 1000 }, (_, index) => `x-${index}: 1\r\n`).join('');
  assert.equal(await ask(`GET / HTTP/1.1\r\n${host}${headers}\r\n`), '400 RequestHeaderSectionTooLarge');
  assert.equal(
    await ask(`GET / HTTP/1.1\r\n${host}x: ${'y'.repeat(40_000)}\r\n\r\n`),
    '400 RequestHeaderSectionTooLarge',
  );
  assert.equal(await ask(`GET / HTTP/1.1\r\n${host}x: a\0b\r\n\r\n`), '400 BadRequest');
});

it('hostile keys are keys', async (t) => {
  const { engine, open } = await useSetting(t);
  const keys = [
    '../../etc/passwd',
    '/etc/passwd',
    'a\0b',
    '\u202egpj.exe',
    '..',
    'a\r\nb',
    '\u{1f4a9}',
    '%00',
    'k'.repeat(1024),
  ];
  for (const key of keys) {
    const head = signedHead(engine, 'PUT', `/${bucket}/${key}`);
    assert.equal((await open().send(`${head}content-length: 1\r\n\r\nx`).answer()).status, 200, JSON.stringify(key));
  }
  assert.deepEqual(new Set(keysIn(engine)), new Set(keys));
  const list = await open()
    .send(`${signedHead(engine, 'GET', `/${bucket}`, { query: [['encoding-type', 'url']] })}\r\n`)
    .answer();
  assert.match(list.text, /<Key>a%00b<\/Key>/);
});

it('documents beyond their limit, or not XML, are refused', async (t) => {
  const { engine, open } = await useSetting(t);
  const ask = async (query: readonly (readonly [string, string])[], body: string, method = 'POST') => {
    const head = signedHead(engine, method, `/${bucket}`, { query, headers: { 'content-md5': md5(body) } });
    const { status, code } = await open().send(`${head}content-length: ${body.length}\r\n\r\n`).send(body).answer();
    return `${status} ${code}`;
  };
  const many = `<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`;
  assert.equal(await ask([['delete', '']], many), '400 MalformedXML');
  assert.equal(
    await ask([['delete', '']], `<Delete>${' '.repeat(3_000_000)}</Delete>`),
    '400 MaxMessageLengthExceeded',
  );
  assert.equal(
    await ask([['cors', '']], `<CORSConfiguration>${' '.repeat(2_000_000)}</CORSConfiguration>`, 'PUT'),
    '400 MaxMessageLengthExceeded',
  );
  assert.equal(await ask([['delete', '']], '<Delete><Object>'), '400 MalformedXML');
  assert.equal(await ask([['delete', '']], '<!DOCTYPE a [<!ENTITY b "c">]><Delete>&b;</Delete>'), '400 MalformedXML');
  assert.equal(await ask([['cors', '']], `${'<a>'.repeat(5_000)}`, 'PUT'), '400 MalformedXML');
  assert.equal(await ask([['cors', '']], '\xff\xfe', 'PUT'), '400 MalformedXML');
});

it('a refused body does not cost the connection when it is small, and does when it is large', async (t) => {
  const { engine, open } = await useSetting(t, { drainBytes: 1000 });
  const denied = (length: number): string =>
    `PUT /${bucket}/k HTTP/1.1\r\nhost: ${new URL(engine.endpoint).host}\r\ncontent-length: ${length}\r\n\r\n`;
  const small = open().send(`${denied(500)}${'x'.repeat(500)}`);
  assert.equal((await small.answer()).code, 'AccessDenied');
  assert.equal(
    (await small.send(`${denied(5)}12345`).answer()).code,
    'AccessDenied',
    'the same connection answers again',
  );
  const large = open().send(denied(50_000_000));
  const answer = await large.send('x'.repeat(100_000)).answer();
  assert.equal(answer.code, 'AccessDenied');
  assert.match(answer.text, /connection: close/i);
  assert.equal((await large.answer({ untilClosed: true })).closed, true);
});

it('Expect: 100-continue is answered only when the request is allowed', async (t) => {
  const { engine, open } = await useSetting(t);
  const allowed = open().send(putHead(engine, 'content-length: 5\r\nexpect: 100-continue\r\n', 'allowed'));
  assert.equal((await allowed.answer()).status, 100);
  assert.equal((await allowed.send('hello').answer()).status, 200);
  const host = `host: ${new URL(engine.endpoint).host}\r\n`;
  const denied = open().send(`PUT /${bucket}/k HTTP/1.1\r\n${host}content-length: 5\r\nexpect: 100-continue\r\n\r\n`);
  const answer = await denied.answer({ untilClosed: true });
  assert.deepEqual([answer.status, answer.code, answer.closed], [403, 'AccessDenied', true]);
  const strange = open().send(putHead(engine, 'content-length: 2\r\nexpect: 200-ok\r\n', 'strange'));
  assert.equal((await strange.send('ok').answer()).status, 200);
});

it('clients that stand still are given up', async (t) => {
  const limits = { headersTimeoutMs: 150, bodyIdleTimeoutMs: 150, answerIdleTimeoutMs: 200, lingerMs: 100 };
  const { engine, open } = await useSetting(t, limits);
  const headers = await open().send(`GET / HTTP/1.1\r\nhost: x\r\n`).answer({ untilClosed: true });
  assert.deepEqual([headers.status, headers.code, headers.closed], [400, 'RequestTimeout', true]);
  const body = await open()
    .send(`${putHead(engine, 'content-length: 100\r\n')}x`)
    .answer({ untilClosed: true });
  assert.deepEqual([body.status, body.code, body.closed], [400, 'RequestTimeout', true]);
  const dripping = open().send(putHead(engine, 'content-length: 20\r\n', 'dripping'));
  for (let sent = 0; sent < 20; sent++) {
    await setTimeout(20);
    dripping.send('x');
  }
  assert.equal((await dripping.answer()).status, 200, 'slow is not idle');
  assert.deepEqual(keysIn(engine), ['dripping']);
});

it('a client that does not take its answer is cut off, and the object is let go', async (t) => {
  const { engine, open } = await useSetting(t, { answerIdleTimeoutMs: 150 });
  const writer = engine.store.stageBody({ maxSizeBytes: 64_000_000, digests: [] });
  for (let piece = 0; piece < 64; piece++) await writer.write(Buffer.alloc(1_000_000, piece));
  const attributes = { systemMetadata: {}, userMetadata: {}, storageClass: 'STANDARD', owner: alice.id };
  await engine.store.putObject({ bucket, key: 'large', body: await writer.finish(), etag: 'e', attributes });
  const client = open();
  client.socket.pause();
  client.send(`${signedHead(engine, 'GET', `/${bucket}/large`)}\r\n`);
  await setTimeout(600);
  client.socket.resume();
  const answer = await client.answer({ untilClosed: true });
  assert.equal(answer.closed, true);
  assert.ok(answer.text.length < 64_000_000);
});

function md5(body: string): string {
  return hash('md5', Buffer.from(body, 'latin1'), 'base64');
}
