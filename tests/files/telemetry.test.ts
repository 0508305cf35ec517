// What the service tells of itself: metrics that Prometheus can read, lines of the log that name the request and its trace, and traces
// that a collector receives. Traces are received by a small collector of our own, over real HTTP.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { startEngine } from '@stowage/engine';
import { type FileService, type FileServiceOptions, openFileService, startFileService } from '@stowage/files';
import { listen } from '../servers/listen.ts';
import { ServiceFixture } from './service-fixture.ts';

interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string }[];
}

/** Takes OTLP over HTTP as JSON and keeps the spans. */
async function startCollector(
  t: TestContext,
): Promise<{ readonly url: string; readonly spans: ReceivedSpan[]; readonly headers: string[] }> {
  const spans: ReceivedSpan[] = [];
  const headers: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    assert.equal(incoming.url, '/v1/traces');
    assert.equal(incoming.headers['content-type'], 'application/json');
    headers.push(String(incoming.headers['x-key']));
    // The shape of OTLP's ExportTraceServiceRequest.
    const body = JSON.parse(await readText(incoming)) as {
      resourceSpans: { scopeSpans: { spans: ReceivedSpan[] }[] }[];
    };
    for (const resource of body.resourceSpans) for (const scope of resource.scopeSpans) spans.push(...scope.spans);
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  return { url: await listen(t, server), spans, headers };
}

/** Passes everything on to the endpoint and keeps the traces that requests name. */
async function startWitness(
  t: TestContext,
  endpoint: string,
): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { traceparent } = incoming.headers;
    if (typeof traceparent === 'string') seen.push(traceparent);
    const { method, url, headers } = incoming;
    const onward = request(new URL(url ?? '/', endpoint), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return { url: await listen(t, server), seen };
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function openTraced(t: TestContext, over: Partial<FileServiceOptions>) {
  const engine = await startEngine();
  t.after(() => engine.close());
  const witness = await startWitness(t, engine.endpoint);
  const lines: Line[] = [];
  const keep = (message: string, fields: object): void => void lines.push({ message, fields: { ...fields } });
  const service = await openFileService({
    s3: {
      endpoint: witness.url,
      region: engine.region,
      bucket: 'traced',
      credentials: engine.credentials,
      forcePathStyle: true,
    },
    endpoint: { kind: 'engine', probing: 'forbidden' },
    database: { path: ':memory:' },
    secret: new Uint8Array(32).fill(3),
    background: false,
    log: { info: keep, warn: keep, error: keep },
    ...over,
  });
  t.after(() => service.close());
  return { service, witness, lines };
}

async function signIn(service: FileService): Promise<string> {
  const token = await service.issueSignInToken();
  const response = await service.fetch(
    new Request('http://files.test/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    }),
  );
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

const callerTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpan = '00f067aa0ba902b7';

function announce(cookie: string, traceparent: string): Request {
  return new Request('http://files.test/v1/uploads', {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie, traceparent, 'x-request-id': 'the-request-id' },
    body: JSON.stringify({ name: 'a secret name.bin', sizeBytes: 20 * 1024 * 1024 }),
  });
}

test('a caller’s trace goes through request, database and bucket, and on to the endpoint', async (t) => {
  const collector = await startCollector(t);
  const { service, witness, lines } = await openTraced(t, {
    telemetry: { endpoint: collector.url, serviceName: 'tested', headers: { 'x-key': 'k' } },
  });
  const cookie = await signIn(service);
  const response = await service.fetch(announce(cookie, `00-${callerTrace}-${callerSpan}-01`));
  assert.equal(response.status, 201, await response.text());
  // What waits is sent at the latest when the service ends.
  await service.close();

  const spans = collector.spans.filter(({ traceId }) => traceId === callerTrace);
  const root = spans.find(({ name }) => name === 'request');
  assert.equal(root?.parentSpanId, callerSpan);
  const keys = root?.attributes.map(({ key }) => key) ?? [];
  for (const key of ['http.route', 'http.response.status_code', 'stowage.request_id'])
    assert.ok(keys.includes(key), key);
  const within = (name: string): readonly ReceivedSpan[] => spans.filter((span) => span.name === name);
  for (const name of ['database read', 'database write', 'bucket prepare', 'bucket createMultipart']) {
    assert.ok(within(name).length > 0, `${name}: ${spans.map((span) => span.name)}`);
    for (const span of within(name)) assert.equal(span.parentSpanId, root?.spanId, name);
  }
  assert.ok(
    witness.seen.some((traceparent) => traceparent.includes(callerTrace)),
    'the endpoint is told',
  );
  const asked = within('bucket createMultipart').map(({ spanId }) => `00-${callerTrace}-${spanId}-01`);
  assert.ok(
    asked.some((traceparent) => witness.seen.includes(traceparent)),
    'by the span that asks it',
  );
  assert.deepEqual([...new Set(collector.headers)], ['k']);
  assert.ok(!JSON.stringify(collector.spans).includes('a secret name'), 'no names of files');
  const line = lines.find(({ message, fields }) => message === 'request' && fields.route === 'createUpload');
  assert.equal(line?.fields.traceId, callerTrace);
  assert.equal(line?.fields.requestId, 'the-request-id');
});

test('what the caller does not sample is not sent, and a collector that is away holds nothing up', async (t) => {
  const collector = await startCollector(t);
  const { service } = await openTraced(t, { telemetry: { endpoint: collector.url } });
  const cookie = await signIn(service);
  await service.fetch(announce(cookie, `00-${callerTrace}-${callerSpan}-00`));
  await service.close();
  assert.ok(!collector.spans.some(({ traceId }) => traceId === callerTrace));
  const away = await openTraced(t, { telemetry: { endpoint: 'http://127.0.0.1:1' } });
  const response = await away.service.fetch(announce(await signIn(away.service), ''));
  assert.equal(response.status, 201);
  const startedAtMs = performance.now();
  await away.service.close();
  assert.ok(performance.now() - startedAtMs < 8_000);
});

test('without a collector no trace is made, and the log still names the caller’s', async (t) => {
  const { service, witness, lines } = await openTraced(t, {});
  const cookie = await signIn(service);
  assert.equal((await service.fetch(announce(cookie, `00-${callerTrace}-${callerSpan}-01`))).status, 201);
  await service.fetch(announce(cookie, 'nonsense'));
  await service.fetch(announce(cookie, `00-${'0'.repeat(32)}-${callerSpan}-01`));
  assert.deepEqual(witness.seen, []);
  const traces = lines.filter(({ fields }) => fields.route === 'createUpload').map(({ fields }) => fields.traceId);
  assert.deepEqual(traces, [callerTrace, undefined, undefined]);
});

test('addresses that hold a secret are not in the log', async (t) => {
  const { service, lines } = await openTraced(t, {});
  const { status } = await service.fetch(new Request('http://files.test/s/THE-TOKEN-OF-A-SHARE'));
  assert.equal(status, 404);
  await service.fetch(new Request('http://files.test/nowhere?token=THE-TOKEN-OF-A-SHARE'));
  assert.ok(lines.length >= 2);
  assert.ok(!JSON.stringify(lines).includes('THE-TOKEN'));
});

/** The text format, read back: names with their types, and each line as its name, labels and value. */
function readMetrics(
  text: string,
): ReadonlyMap<string, { readonly type: string; readonly lines: readonly (readonly [string, number])[] }> {
  const found = new Map<string, { type: string; lines: [string, number][] }>();
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE (\w+) (\w+)$/.exec(line);
    if (type?.[1] !== undefined && type[2] !== undefined) found.set(type[1], { type: type[2], lines: [] });
    if (line.startsWith('#')) continue;
    const [, name = '', labels = '', value = ''] = /^(\w+)(\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? (\S+)$/.exec(line) ?? [];
    const family = found.get(name) ?? found.get(name.replace(/_(bucket|sum|count)$/, ''));
    assert.ok(family, `${line} has no type before it`);
    assert.ok(!Number.isNaN(Number(value)), line);
    family.lines.push([name + labels, Number(value)]);
  }
  return found;
}

test('metrics are in Prometheus’ format and by its conventions, and tell what happened', async (t) => {
  const files = await ServiceFixture.open(t);
  const upload = await files.upload('a.txt', 'text/plain', Buffer.from('hello'));
  await files.download(upload.fileId);
  await files.announce({ sizeBytes: 5 });
  await files
    .call('createWebhook', { body: { url: 'https://hooks.example.com/a' } })
    .then(({ id }) => files.call('testWebhook', { id }));
  const response = await files.send(new Request('http://files.test/metrics'));
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const metrics = readMetrics(await response.text());
  for (const [name, { type, lines }] of metrics) {
    assert.match(name, /^(stowage_files|process)_[a-z_]+$/);
    assert.equal(type === 'counter', name.endsWith('_total'), `${name} is a ${type}`);
    if (type === 'histogram') assert.match(name, /_seconds$/);
    assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb)(_|$)/);
    assert.equal(new Set(lines.map(([line]) => line)).size, lines.length, `${name} has a line twice`);
  }
  const value = (line: string): number | undefined =>
    new Map(metrics.get(line.replace(/(_bucket|_count|_sum)?(\{.*)?$/, ''))?.lines ?? []).get(line);
  assert.equal(value('stowage_files_files{state="ready"}'), 1);
  assert.equal(value('stowage_files_files{state="pending"}'), 1);
  assert.equal(value('stowage_files_webhook_deliveries{state="waiting"}'), 1);
  assert.equal(value('stowage_files_requests_total{route="completeUpload",status="200"}'), 1);
  assert.equal(value('stowage_files_request_duration_seconds_count{route="completeUpload"}'), 1);
  assert.equal(value('stowage_files_outbox_lag_seconds'), 0);
  assert.ok((value('stowage_files_storage_requests_total{operation="head",outcome="answered"}') ?? 0) >= 1);
  const buckets = metrics
    .get('stowage_files_database_duration_seconds')
    ?.lines.filter(([line]) => line.includes('_bucket{kind="write"'));
  assert.ok(buckets && buckets.length > 10);
  const counts = buckets.map(([, count]) => count);
  assert.deepEqual(
    counts,
    counts.toSorted((one, other) => one - other),
    'buckets hold what is below them',
  );
  assert.equal(counts.at(-1), value('stowage_files_database_duration_seconds_count{kind="write"}'));

  // A job that waits although it is due.
  files.advance(60 * 60_000);
  await files.call('deleteFile', { id: upload.fileId });
  await files.call('purgeFile', { id: upload.fileId });
  files.advance(3 * 60 * 60_000);
  const late = readMetrics(await (await files.send(new Request('http://files.test/metrics'))).text());
  const [[, lag] = ['', 0]] = late.get('stowage_files_outbox_lag_seconds')?.lines ?? [];
  assert.ok(lag > 3_000, `${lag} s`);
  // From elsewhere only who runs the service may read them.
  const stranger = await files.service.fetch(new Request('http://files.test/metrics'), { clientAddress: '192.0.2.1' });
  assert.equal(stranger.status, 401);
});

test('who comes through a proxy on this machine is not this machine', async (t) => {
  const files = await ServiceFixture.open(t);
  const ask = async (
    headers: Readonly<Record<string, string>>,
    about: Parameters<FileService['fetch']>[1],
  ): Promise<number> =>
    (await files.service.fetch(new Request('http://files.test/metrics', { headers }), about)).status;
  const local = { clientAddress: '127.0.0.1' };
  assert.equal(await ask({}, local), 200);
  for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-proto', 'via']) {
    assert.equal(await ask({ [name]: '127.0.0.1' }, local), 401, name);
  }
  // A proxy that adds nothing is known by the address that people use.
  assert.equal(await ask({}, { ...local, proxied: true }), 401);
  assert.equal(await ask({ cookie: files.cookie }, { ...local, proxied: true }), 200);
});

test('a service that people reach by https or at another port knows that a proxy stands before it', async (t) => {
  const fixture = await ServiceFixture.open(t);
  const statusWith = async (over: { readonly publicUrl?: string }): Promise<number> => {
    const running = await startFileService({ ...fixture.options, database: { path: ':memory:' }, ...over, port: 0 });
    try {
      return (await fetch(`http://127.0.0.1:${running.port}/metrics`)).status;
    } finally {
      await running.close();
    }
  };
  assert.equal(await statusWith({}), 200);
  assert.equal(await statusWith({ publicUrl: 'https://files.example.com' }), 401);
  assert.equal(await statusWith({ publicUrl: 'http://files.example.com' }), 401);
});
