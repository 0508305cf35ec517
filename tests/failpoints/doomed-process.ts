// The file service as a process of its own whose awaits are failpoints: at the one that it is armed with it ends itself by SIGKILL.
// Loads everything first and then waits for its orders, so that one can be kept ready.
//   node tests/failpoints/doomed-process.ts SOURCES   (the file that `prepareSources` wrote)

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import process from 'node:process';
import type { RunningFileService } from '@stowage/files';
import type { Armed, Deed, Order, Report } from './failpoint-messages.ts';
import { ahead, reached } from './find-failpoints.ts';

const hits: Record<string, number> = {};
let armed: Armed | undefined;
let offsetMs = 0;
let running: RunningFileService | undefined;

function endHere(name: string, place: Armed['place'], time: number): void {
  if (armed === undefined || armed.failpoint !== name || armed.place !== place || armed.time !== time) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered before the call returns; nothing after it is ever run.
  for (;;);
}

Object.assign(globalThis, {
  [ahead]: (name: string): void => endHere(name, 'before', (hits[name] ?? 0) + 1),
  [reached]: <Value>(name: string, value: Value): Value => {
    const time = (hits[name] ?? 0) + 1;
    hits[name] = time;
    endHere(name, 'after', time);
    return value;
  },
});

// Written by prepareSources: the text of each instrumented file, by its address.
const sources = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Readonly<Record<string, string>>;
registerHooks({
  load(url, context, nextLoad) {
    const source = sources[url];
    return source === undefined ? nextLoad(url, context) : { format: 'module', source, shortCircuit: true };
  },
});
const { startFileService } = await import('@stowage/files');

const complain = (message: string, fields: object): void => {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
};

async function start({ options, offsetMs: startOffsetMs, armed: given }: Extract<Order, { order: 'start' }>) {
  armed = given;
  offsetMs = startOffsetMs;
  const { secretHex, ...rest } = options;
  running = await startFileService({
    ...rest,
    secret: Buffer.from(secretHex, 'hex'),
    clock: () => Date.now() + offsetMs,
    monotonicClock: () => Date.now() + offsetMs,
    port: 0,
    background: false,
    reconcile: { mend: true },
    log: { info: () => undefined, warn: complain, error: complain },
  });
  tell({ report: 'started', url: `http://127.0.0.1:${running.port}` });
}

async function act(deed: Deed): Promise<unknown> {
  if (deed === 'hits') return hits;
  if (running === undefined) throw new Error('The service was not started.');
  switch (deed) {
    case 'close':
      return running.close();
    case 'tick':
      return running.service.tick();
    case 'issueSignInToken':
      return new URL(await running.signInUrl()).hash.replace('#token=', '');
    case 'prepared':
      return running.service.prepared();
    case 'probeEndpoint':
      return running.service.probeEndpoint();
  }
}

function tell(report: Report): void {
  process.send?.(report);
}

function fail(id: number | undefined, error: unknown): void {
  tell({ report: 'failed', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

process.on('message', (order: Order) => {
  switch (order.order) {
    case 'start':
      start(order).catch((error: unknown) => fail(undefined, error));
      break;
    case 'clock':
      ({ offsetMs } = order);
      break;
    case 'do':
      act(order.deed).then(
        (answer) => tell({ report: 'done', id: order.id, answer: answer ?? null }),
        (error: unknown) => fail(order.id, error),
      );
      break;
  }
});
process.on('disconnect', () => process.exit());
tell({ report: 'loaded' });
