// ClamAV's daemon, over TCP or a Unix socket. Spec: clamd(8), "INSTREAM": the bytes go in chunks with their length before them,
// an empty chunk ends them, and the answer names what was found. A connection for each file, a few at the same time.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { openTurns } from '../turns.ts';
import type { Scanner, ScanVerdict } from './scanner.ts';

export interface ClamdSettings {
  /** `host:port`, or the path of a Unix socket. */
  readonly address: string;
  /** Files judged at the same time. clamd's own `MaxThreads` must not be smaller. Default 4. */
  readonly maxConnections?: number;
  /** Longest wait for a connection. Default 5 seconds. */
  readonly connectTimeoutMs?: number;
  /** Longest silence of clamd, while bytes are sent and while it judges them. Default 120 seconds. */
  readonly idleTimeoutMs?: number;
}

const defaults = { maxConnections: 4, connectTimeoutMs: 5_000, idleTimeoutMs: 120_000 };
/** Files that wait for their turn. */
const maxWaiting = 1_000;
/** Tries of a file on which clamd hangs up. */
const maxAttempts = 3;
const maxChunkBytes = 256 * 1024;
/** An answer names a file and a signature: a longer one is none. */
const maxAnswerBytes = 4 * 1024;

/** Throws a `RangeError` for an address that is neither `host:port` nor an absolute path. */
export function openClamd(settings: ClamdSettings): Scanner {
  const { maxConnections, connectTimeoutMs, idleTimeoutMs } = { ...defaults, ...settings };
  const target = parseAddress(settings.address);
  const turns = openTurns({ atOnce: maxConnections, maxWaiting });
  const open = new Set<Socket>();

  async function converse<Result>(talk: (socket: Socket, signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const release = await turns.take();
    const failed = new AbortController();
    const socket = connect(target);
    open.add(socket);
    socket.setTimeout(connectTimeoutMs, () =>
      socket.destroy(new Error(`clamd at ${settings.address} does not answer.`)),
    );
    socket.once('error', (error) => failed.abort(error));
    try {
      await once(socket, 'connect');
      socket.setTimeout(idleTimeoutMs);
      return await talk(socket, failed.signal);
    } catch (cause) {
      throw new Error(
        `clamd at ${settings.address} could not judge: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    } finally {
      failed.abort();
      socket.destroy();
      open.delete(socket);
      release();
    }
  }

  const describe = (): Promise<string> =>
    converse(async (socket) => {
      socket.write('zVERSION\0');
      return `clamd ${await readAnswer(socket)}`;
    });

  const scanOnce: Scanner['scan'] = (openBytes) =>
    converse(async (socket, signal) => {
      const bytes = await openBytes(signal);
      if (bytes === undefined) return 'gone';
      const answer = readAnswer(socket);
      // Where clamd has enough, it answers and hangs up while bytes are still being sent; the answer says why.
      const sent = send(socket, bytes).then(
        () => answer,
        (cause: unknown) => answer.catch(() => Promise.reject(cause)),
      );
      return verdictOf(await Promise.race([answer, sent]));
    });

  return {
    atOnce: maxConnections,

    describe,

    scan: async (openBytes) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await scanOnce(openBytes);
        } catch (error) {
          if (!hungUp(error)) throw error;
          if (attempt < maxAttempts) continue;
          // The answer can be lost with the connection. One that is there, and hangs up on these bytes each time, does not take them.
          await describe();
          return {
            verdict: 'unscannable',
            reason: 'The scanner hangs up while it is sent the file: it is larger than StreamMaxLength, it seems.',
          };
        }
      }
    },

    close: () => {
      for (const socket of open) socket.destroy(new Error('The scanner is closed.'));
    },
  };
}

async function send(socket: Socket, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await write(socket, Buffer.from('zINSTREAM\0'));
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.byteLength; at += maxChunkBytes) {
      const piece = chunk.subarray(at, at + maxChunkBytes);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(piece.byteLength);
      await write(socket, length);
      await write(socket, piece);
      // Lets an answer be read before more is written to a connection that may be closed.
      await setImmediate();
    }
  }
  await write(socket, Buffer.alloc(4));
}

async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed) throw new Error('the connection was closed');
  if (socket.write(bytes)) return;
  const stopped = new AbortController();
  try {
    const closed = once(socket, 'close', { signal: stopped.signal }).then(() => {
      throw new Error('the connection was closed');
    });
    closed.catch(() => undefined);
    await Promise.race([once(socket, 'drain', { signal: stopped.signal }), closed]);
  } finally {
    stopped.abort();
  }
}

/**
 * The answer, up to the zero byte that ends it. Taken as it comes, by an event: a clamd that has enough answers and resets the
 * connection, and what a stream still holds when it fails is lost.
 */
function readAnswer(socket: Socket): Promise<string> {
  const answer = Promise.withResolvers<string>();
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const end = text.indexOf('\0');
    if (end >= 0) answer.resolve(text.slice(0, end));
    else if (text.length > maxAnswerBytes) answer.reject(new Error('the answer does not end'));
  });
  socket.once('error', answer.reject);
  socket.once('close', () => answer.reject(new Error('the connection was closed before there was an answer')));
  answer.promise.catch(() => undefined); // whoever asked may have gone
  return answer.promise;
}

function hungUp(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'EPIPE' || cause.code === 'ECONNRESET');
}

function verdictOf(answer: string): ScanVerdict {
  if (answer === 'stream: OK') return { verdict: 'clean' };
  const [, signature] = /^stream: (.+) FOUND$/.exec(answer) ?? [];
  // With `AlertExceedsMax` clamd says so where it has not looked at everything.
  if (signature?.startsWith('Heuristics.Limits.Exceeded') === true) {
    return { verdict: 'unscannable', reason: `The scanner did not look at all of it (${signature}).` };
  }
  if (signature !== undefined) return { verdict: 'infected', signature };
  if (/size limit exceeded/i.test(answer)) {
    return { verdict: 'unscannable', reason: 'The file is larger than the scanner takes (StreamMaxLength).' };
  }
  throw new Error(`the answer was ${JSON.stringify(answer.slice(0, 200))}`);
}

function parseAddress(address: string): { readonly path: string } | { readonly host: string; readonly port: number } {
  if (address.startsWith('/')) return { path: address };
  const [, host, port] = /^(?:tcp:\/\/)?(\[[0-9a-f:]+\]|[^:/]+):(\d{1,5})$/i.exec(address) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535) {
    throw new RangeError(
      `The address of clamd is ${address}; write host:port, or the absolute path of its Unix socket.`,
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
