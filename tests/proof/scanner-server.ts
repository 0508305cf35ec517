// A scanner that speaks clamd's INSTREAM, calls malware what holds a mark, and remembers what it was given: the witness of what was
// scanned. It can be away: then it hangs up on whoever comes. clamd itself has tests of its own (tests/files/scan.test.ts).

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface ScannerServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Whether it answers. */
  isUp: boolean;
  /** What it last said of bytes with this SHA-256, in hexadecimal. */
  verdictOn(sha256: string): 'clean' | 'infected' | undefined;
  close(): Promise<void>;
}

/** What holds this is malware to it. */
export const infectionMark = 'HARMFUL!';
const signature = 'Proof.Mark';

export async function startScannerServer(): Promise<ScannerServer> {
  const verdicts = new Map<string, 'clean' | 'infected'>();
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined); // who asked may hang up
    if (scanner.isUp) answer(socket, verdicts);
    else socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = server.address();
  if (place === null || typeof place === 'string') throw new Error('A TCP server has no port.');
  const scanner: ScannerServer = {
    address: `127.0.0.1:${place.port}`,
    isUp: true,
    verdictOn: (sha256) => verdicts.get(sha256),
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return scanner;
}

/** clamd(8): `zVERSION\0`, or `zINSTREAM\0` and chunks with their length before them, of which an empty one is the last. */
function answer(socket: Socket, verdicts: Map<string, 'clean' | 'infected'>): void {
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const commandEnd = received.indexOf(0);
    if (commandEnd < 0) return;
    if (received.subarray(0, commandEnd).toString() === 'zVERSION') {
      socket.end('Proof 1/1\0');
      return;
    }
    const bytes = readStream(received.subarray(commandEnd + 1));
    if (bytes === undefined) return;
    const verdict = bytes.includes(infectionMark) ? 'infected' : 'clean';
    verdicts.set(createHash('sha256').update(bytes).digest('hex'), verdict);
    socket.end(verdict === 'clean' ? 'stream: OK\0' : `stream: ${signature} FOUND\0`);
  });
}

/** The bytes of a whole stream; `undefined` while some are to come. */
function readStream(received: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  while (at + 4 <= received.length) {
    const length = received.readUInt32BE(at);
    if (length === 0) return Buffer.concat(chunks);
    if (at + 4 + length > received.length) return undefined;
    chunks.push(received.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}
