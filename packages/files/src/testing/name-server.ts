// A name server for tests, on a free port of loopback: it answers for the names that it is given, says of `.none` that there is no such
// name, and is silent about all others. RFC 1035.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import ipaddr from 'ipaddr.js';

const types = { 1: 'ipv4', 28: 'ipv6' } as const;
const answered = 0x8180;
const noSuchName = 0x8183;

/** Answers its address, with its port. */
export async function startNameServer(
  t: TestContext,
  names: Readonly<Record<string, readonly string[]>>,
): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const labels: string[] = [];
    let end = 12;
    for (let size = question[end] ?? 0; size > 0; size = question[end] ?? 0) {
      labels.push(question.toString('ascii', end + 1, end + 1 + size));
      end += size + 1;
    }
    const name = labels.join('.').toLowerCase();
    const type = question.readUInt16BE(end + 1);
    const isNone = name.endsWith('.none');
    if (names[name] === undefined && !isNone) return;
    const kind = type === 1 || type === 28 ? types[type] : undefined;
    const found = (names[name] ?? []).map((text) => ipaddr.parse(text)).filter((address) => address.kind() === kind);
    const head = Buffer.alloc(12);
    question.copy(head, 0, 0, 2);
    head.writeUInt16BE(isNone ? noSuchName : answered, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(found.length, 6);
    const answers = found.map((address) => {
      const bytes = Buffer.from(address.toByteArray());
      const record = Buffer.alloc(12);
      // The name is the one that was asked for.
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(bytes.length, 10);
      return Buffer.concat([record, bytes]);
    });
    socket.send(Buffer.concat([head, question.subarray(12, end + 5), ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}
