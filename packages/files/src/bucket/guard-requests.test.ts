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

interface GuardOver {
  readonly circuitFailures?: number;
  readonly monotonicClock?: () => number;
  readonly onRequest?: (outcome: string) => void;
}

function open(over: GuardOver = {}): RequestGuard {
  return openRequestGuard({
    limits: { bucketTimeoutMs: 1_000, circuitFailures: over.circuitFailures ?? 1_000, circuitOpenMs: 1_000 },
    monotonicClock: over.monotonicClock ?? (() => 0),
    random: () => 0,
    log: silentLog,
    endpoint: 'http://s3.test',
    meter: {
      request: (_operation, outcome) => over.onRequest?.(outcome),
      attempt: (_operation, work) => work(),
      retry: () => undefined,
      circuit: () => undefined,
      clockOffset: () => undefined,
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

/** A request that the endpoint never answers, and that its caller gives up. */
async function giveUp(guard: RequestGuard): Promise<void> {
  const caller = new AbortController();
  const aborted = Object.assign(new Error('Request aborted'), { name: 'AbortError' });
  let tries = 0;
  const request = () => {
    tries++;
    caller.abort(new Error('The reader has gone.'));
    return Promise.reject(aborted);
  };
  await assert.rejects(guard.run('read', allowance, request, caller.signal), aborted);
  assert.equal(tries, 1);
}

test('what its caller gave up is not tried again, opens no circuit and costs no retries', async () => {
  const outcomes: string[] = [];
  const guard = open({ circuitFailures: 2, onRequest: (outcome) => outcomes.push(outcome) });
  for (let count = 0; count < 100; count++) await giveUp(guard);
  assert.deepEqual(new Set(outcomes), new Set(['abandoned']));
  assert.equal(await guard.run('head', allowance, async () => 'answered'), 'answered');
  // Nor does it say that the endpoint is well again.
  await triesOf(guard, refusal('InternalError', 500), { ...allowance, retries: 0 });
  await giveUp(guard);
  await triesOf(guard, refusal('InternalError', 500), { ...allowance, retries: 0 });
  await assert.rejects(
    guard.run('head', allowance, async () => 'answered'),
    isFilesError,
  );
});

test('what was given up before it was sent is not sent', async () => {
  const gone = new Error('The reader has gone.');
  const request = () => Promise.reject(new Error('It was sent.'));
  await assert.rejects(open().run('read', allowance, request, AbortSignal.abort(gone)), gone);
});

test('a trial of an open circuit that its caller gives up leaves the trial to the next', async () => {
  let nowMs = 0;
  const guard = open({ circuitFailures: 1, monotonicClock: () => nowMs });
  await triesOf(guard, refusal('InternalError', 500), { ...allowance, retries: 0 });
  nowMs = 1_000;
  await giveUp(guard);
  assert.equal(await guard.run('head', allowance, async () => 'answered'), 'answered');
  assert.equal(await guard.run('head', allowance, async () => 'answered'), 'answered', 'it is closed');
});

test('a request from before that is given up while another tries lets no second one try', async () => {
  let nowMs = 0;
  const guard = open({ circuitFailures: 1, monotonicClock: () => nowMs });
  const caller = new AbortController();
  const early = guard.run(
    'read',
    allowance,
    (signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    caller.signal,
  );
  await triesOf(guard, refusal('InternalError', 500), { ...allowance, retries: 0 });
  nowMs = 1_000;
  const trial = Promise.withResolvers<string>();
  const trying = guard.run('head', allowance, () => trial.promise);
  caller.abort(new Error('The reader has gone.'));
  await assert.rejects(early);
  await assert.rejects(
    guard.run('head', allowance, async () => 'answered'),
    isFilesError,
  );
  trial.resolve('answered');
  assert.equal(await trying, 'answered');
});
