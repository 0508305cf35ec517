import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFilesError } from '../files-error.ts';
import { silentLog } from '../log.ts';
import { openRequestGuard, type RequestGuard } from './guard-requests.ts';

/** What the SDK throws. */
function refusal(name: string, httpStatusCode?: number, more: object = {}): Error {
  const metadata = { ...(httpStatusCode === undefined ? {} : { httpStatusCode }), ...more };
  return Object.assign(new Error(name), { name, $metadata: metadata });
}

function open(over: { readonly circuitFailures?: number } = {}): RequestGuard {
  return openRequestGuard({
    limits: { bucketTimeoutMs: 1_000, circuitFailures: over.circuitFailures ?? 1_000, circuitOpenMs: 1_000 },
    clock: () => 0,
    random: () => 0,
    log: silentLog,
    endpoint: 'http://s3.test',
    meter: {
      request: () => undefined,
      attempt: (_operation, work) => work(),
      retry: () => undefined,
      circuit: () => undefined,
    },
  });
}

const allowance = { totalMs: 10_000, retries: 2 };

/** How often a request that always fails so is sent. */
async function triesOf(guard: RequestGuard, error: Error, given = allowance): Promise<number> {
  let tries = 0;
  await assert.rejects(
    guard.run('head', given, async () => {
      tries++;
      throw error;
    }),
    error,
  );
  return tries;
}

test('faults of the endpoint and of the way to it are tried again; what is refused is not', async () => {
  for (const passing of [
    refusal('InternalError', 500),
    refusal('SlowDown', 503),
    refusal('TimeoutError'),
    refusal('RequestTimeout', 400),
    refusal('TooManyRequests', 429),
  ]) {
    assert.equal(await triesOf(open(), passing), 3, passing.name);
  }
  for (const final of [
    refusal('AccessDenied', 403),
    refusal('NoSuchKey', 404),
    refusal('PreconditionFailed', 412),
    refusal('NotImplemented', 501),
  ]) {
    assert.equal(await triesOf(open(), final), 1, final.name);
  }
  assert.equal(await triesOf(open(), refusal('InternalError', 500), { ...allowance, retries: 0 }), 1);
});

test('what was refused for the clocks’ difference is sent once more, whatever it is: nothing was done', async () => {
  const skewed = refusal('RequestTimeTooSkewed', 403, { clockSkewCorrected: true });
  assert.equal(await triesOf(open(), skewed, { ...allowance, retries: 0 }), 2);
});

test('retries come out of a budget: an endpoint in trouble is hardly asked more often than it would be', async () => {
  const guard = open();
  let tries = 0;
  for (let count = 0; count < 200; count++) tries += await triesOf(guard, refusal('SlowDown', 503));
  assert.ok(tries <= 200 + 20 + 21, `${tries} requests for 200`);
});

test('while the circuit is open nothing is sent, and the caller is told when to ask again', async () => {
  const guard = open({ circuitFailures: 2 });
  const once = { ...allowance, retries: 0 };
  for (let count = 0; count < 2; count++) await triesOf(guard, refusal('InternalError', 500), once);
  let sent = false;
  await assert.rejects(
    guard.run('head', allowance, async () => {
      sent = true;
    }),
    (error) => isFilesError(error) && error.code === 'storage-unavailable' && error.retryAfterSeconds === 1,
  );
  assert.equal(sent, false);
});

test('what takes longer than it may is ended', async () => {
  const silent = open().run('head', { totalMs: 30, retries: 2 }, (signal) => {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  });
  await assert.rejects(silent, { name: 'TimeoutError' });
});
