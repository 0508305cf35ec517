// A running file service, whichever process it runs in: one of its own that dies at a failpoint, or this one, without failpoints,
// which goes on where the other ended.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openFileService } from '@stowage/files';
import type { Armed, Deed, Hits, LifeOptions, Order, Report } from './failpoint-messages.ts';

export interface Life {
  /** Requests are answered as from this machine. Redirects are not followed. */
  fetch(request: Request): Promise<Response>;
  tick(): Promise<void>;
  issueSignInToken(): Promise<string>;
  prepared(): Promise<void>;
  probeEndpoint(): Promise<void>;
  close(): Promise<void>;
}

/** What an error of a call becomes when the process has ended at its failpoint. */
export class LifeEnded extends Error {
  override readonly name = 'LifeEnded';
}

/** How long a process may take to be ready, and to be seen dead after its connections broke. */
const loadTimeoutMs = 60_000;
const deathTimeoutMs = 1_000;
const maxComplaintCharacters = 20_000;

/** A process that has loaded the service and waits to be told how to start it. */
export class DoomedLife implements Life {
  /** What it logged as warnings and errors, and what it died of otherwise. */
  complaints = '';
  #end: Error | undefined;
  #url = '';
  #lastId = 0;
  readonly #child: ChildProcess;
  readonly #death: Promise<unknown>;
  readonly #loaded: Promise<void>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #starting: PromiseWithResolvers<string> | undefined;

  constructor(sources: string, compileCache: string) {
    const loaded = Promise.withResolvers<void>();
    this.#loaded = loaded.promise;
    this.#loaded.catch(() => undefined); // told to whoever starts it
    this.#child = fork(fileURLToPath(new URL('doomed-process.ts', import.meta.url)), [sources], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      execArgv: [],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaints = (this.complaints + text).slice(-maxComplaintCharacters);
    });
    this.#child.on('message', (report: Report) => (report.report === 'loaded' ? loaded.resolve() : this.#take(report)));
    this.#death = once(this.#child, 'exit').then(([code, signal]) => {
      const ended =
        signal === 'SIGKILL'
          ? new LifeEnded('The process has ended at its failpoint.')
          : new Error(`The process ended by itself (${code ?? signal}).\n${this.complaints}`);
      this.#end = ended;
      loaded.reject(ended);
      this.#starting?.reject(ended);
      for (const { reject } of this.#waiting.values()) reject(ended);
      this.#waiting.clear();
    });
  }

  async start(options: LifeOptions, offsetMs: number, armed: Armed | undefined): Promise<void> {
    await within(loadTimeoutMs, this.#loaded, 'The process did not load the service');
    this.#starting = Promise.withResolvers<string>();
    this.#send({ order: 'start', options, offsetMs, ...(armed === undefined ? {} : { armed }) });
    this.#url = await this.#starting.promise;
  }

  moveClock(offsetMs: number): void {
    if (this.#end === undefined) this.#send({ order: 'clock', offsetMs });
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const body = request.body === null ? {} : { body: await request.arrayBuffer() };
    const { method, headers } = request;
    for (let again = false; ; again = true) {
      try {
        const answer = await fetch(`${this.#url}${pathname}${search}`, {
          method,
          headers,
          redirect: 'manual',
          ...body,
        });
        // The whole of it: a process may die while it sends.
        const bytes = await answer.arrayBuffer();
        return new Response(bytes.byteLength === 0 ? null : bytes, { status: answer.status, headers: answer.headers });
      } catch (cause) {
        await Promise.race([this.#death, new Promise((resolve) => setTimeout(resolve, deathTimeoutMs).unref())]);
        if (this.#end !== undefined) throw this.#end;
        // A connection that was kept may be closed by the server just when it is used again.
        if (again) throw cause;
      }
    }
  }

  async tick(): Promise<void> {
    await this.#do('tick');
  }

  async issueSignInToken(): Promise<string> {
    return String(await this.#do('issueSignInToken'));
  }

  async prepared(): Promise<void> {
    await this.#do('prepared');
  }

  async probeEndpoint(): Promise<void> {
    await this.#do('probeEndpoint');
  }

  async close(): Promise<void> {
    await this.#do('close');
  }

  async hits(): Promise<Hits> {
    return (await this.#do('hits')) as Hits; // doomed-process.ts sends them
  }

  /** Ends the process in any case. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#death;
  }

  #send(order: Order): void {
    // A process that has just died takes nothing any more; its death is told elsewhere.
    this.#child.send(order, () => undefined);
  }

  async #do(deed: Deed): Promise<unknown> {
    if (this.#end !== undefined) throw this.#end;
    this.#lastId += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#lastId, waiting);
    this.#send({ order: 'do', id: this.#lastId, deed });
    return waiting.promise;
  }

  #take(report: Exclude<Report, { readonly report: 'loaded' }>): void {
    if (report.report === 'started') {
      this.#starting?.resolve(report.url);
      return;
    }
    if (report.id === undefined) {
      if (report.report === 'failed') this.#starting?.reject(new Error(report.message));
      return;
    }
    const waiting = this.#waiting.get(report.id);
    this.#waiting.delete(report.id);
    if (report.report === 'done') waiting?.resolve(report.answer);
    else waiting?.reject(new Error(report.message));
  }
}

/** The service in this process, as it is. */
export async function openLife(
  { secretHex, ...options }: LifeOptions,
  clock: () => number,
  complain: (line: string) => void,
): Promise<Life> {
  const log = (message: string, fields: object): void => complain(`${message} ${JSON.stringify(fields)}`);
  const service = await openFileService({
    ...options,
    secret: Buffer.from(secretHex, 'hex'),
    clock,
    monotonicClock: clock,
    background: false,
    reconcile: { mend: true },
    log: { info: () => undefined, warn: log, error: log },
  });
  return {
    fetch: async (request) => {
      const answer = await service.fetch(request, { clientAddress: '127.0.0.1' });
      const bytes = await answer.arrayBuffer();
      return new Response(bytes.byteLength === 0 ? null : bytes, { status: answer.status, headers: answer.headers });
    },
    tick: () => service.tick(),
    issueSignInToken: () => service.issueSignInToken(),
    prepared: () => service.prepared(),
    probeEndpoint: async () => void (await service.probeEndpoint()),
    close: () => service.close(),
  };
}

async function within<Value>(timeoutMs: number, promise: Promise<Value>, what: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${timeoutMs} ms.`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
