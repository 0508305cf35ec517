// kill -9 of a process with 16 writers: whatever it acknowledged is there, whole, and nothing is there in part.
// STOWAGE_CRASH_ROUNDS sets how often (default 5).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { largeSizeBytes, listKeys, patternBytes, readAll } from './contract/store-under-test.ts';
import { openDiskStore } from './disk-store.ts';
import type { ObjectStore } from './object-store.ts';
import { blobPaths, withDataFolder } from './testing/data-folder.ts';

const rounds = Number(process.env.STOWAGE_CRASH_ROUNDS ?? 5);

/** What the last acknowledged write of a key left, and what a write under way may have left instead. */
interface Expected {
  acknowledged: string | undefined;
  underWay: string | undefined;
}

describe('disk store, killed', () => {
  it(`keeps every acknowledged write through ${rounds} rounds of kill -9`, async () => {
    await withDataFolder(async (directory) => {
      const expected = new Map<string, Expected>();
      let acknowledged = 0;
      for (let round = 0; round < rounds; round += 1) {
        const lines = await runAndKill(directory, round, 150 + ((round * 197) % 500));
        acknowledged += note(expected, lines);
        const store = await openDiskStore({ directory });
        await verify(store, expected);
        assert.deepEqual(store.health().damage, []);
        await store.close();
      }
      assert.ok(acknowledged > rounds * 5, `only ${acknowledged} writes were acknowledged`);
      assert.ok((await blobPaths(directory)).length < 16 * 7 * 3, 'blobs of crashed rounds are removed');
    });
  });
});

/** The lines that a crash-writer printed before it was killed. */
async function runAndKill(directory: string, round: number, afterMs: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'testing', 'crash-writer.ts');
  const child = spawn(process.execPath, [script, directory, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMs);
    output += text;
  });
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself');
  return output.split('\n').slice(0, -1); // the last line may be cut
}

/** Answers how many writes were acknowledged. */
function note(expected: Map<string, Expected>, lines: readonly string[]): number {
  let acknowledged = 0;
  for (const line of lines) {
    const [what, key = '', ...write] = line.split(' ');
    if (what === 'opened') continue;
    const entry = expected.get(key) ?? { acknowledged: undefined, underWay: undefined };
    expected.set(key, entry);
    if (what === 'begin') entry.underWay = write.join(' ');
    else {
      entry.acknowledged = write.join(' ');
      entry.underWay = undefined;
      acknowledged += 1;
    }
  }
  return acknowledged;
}

async function verify(store: ObjectStore, expected: Map<string, Expected>): Promise<void> {
  const listed = new Set(listKeys(store));
  for (const [key, entry] of expected) {
    const found = await readAll(store, key);
    assert.equal(listed.has(key), found !== undefined, `listing and reading agree on ${key}`);
    const candidates = [entry.acknowledged, entry.underWay].filter((write) => write !== undefined);
    const match = candidates.find((write) => same(found, contentOf(write)));
    const isUntouched = entry.acknowledged === undefined && found === undefined;
    assert.ok(match !== undefined || isUntouched, `${key} holds none of ${candidates.join(' | ')}`);
    entry.acknowledged = match;
    entry.underWay = undefined;
  }
  for (const key of listed) assert.ok(expected.has(key), `${key} was never written`);
}

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

/** What a write, noted as `<seed> <kind>`, leaves. Must agree with testing/crash-writer.ts. */
function contentOf(write: string): Buffer | undefined {
  const [seed = 0, kind = 0] = write.split(' ').map(Number);
  const sizeBytes = (seed * 7919) % 20_000;
  if (kind < 6) return patternBytes(sizeBytes, seed);
  if (kind < 7) return patternBytes(largeSizeBytes, seed);
  if (kind < 8) return undefined;
  return Buffer.concat([patternBytes(400_000, seed), patternBytes(sizeBytes, seed + 1)]);
}
