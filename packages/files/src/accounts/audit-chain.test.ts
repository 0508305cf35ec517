import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditRecord, canonicalJson, firstPreviousHash, openAuditSeal, verifyChain } from './audit-chain.ts';

const seal = openAuditSeal(new Uint8Array(32).fill(1));

function chain(length: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let sequence = 1; sequence <= length; sequence++) {
    const unsealed = {
      tenantId: 'main',
      sequence,
      atMs: sequence * 10,
      action: 'share.created',
      actorKind: 'user',
      actorId: 'ada',
      subjectKind: 'share',
      subjectId: `s${sequence}`,
      details: canonicalJson({ b: 1, a: 'ä' }),
      address: null,
      requestId: null,
      previousHash: records.at(-1)?.hash ?? firstPreviousHash,
    } as const;
    records.push({ ...unsealed, hash: seal(unsealed) });
  }
  return records;
}

const verify = (records: readonly AuditRecord[], by = seal) =>
  verifyChain(async (after) => records.filter(({ sequence }) => sequence > after).slice(0, 3), by, 100);

test('the same values give the same text, whatever their order', () => {
  assert.equal(canonicalJson({ b: 1, a: 'x', c: null }), '{"a":"x","b":1,"c":null}');
  assert.equal(canonicalJson({ c: null, a: 'x', b: 1 }), canonicalJson({ b: 1, c: null, a: 'x' }));
});

test('a whole chain is whole, and an empty one too', async () => {
  const records = chain(8);
  assert.deepEqual(await verify(records), { entries: 8, head: { sequence: 8, hash: records[7]?.hash } });
  assert.deepEqual(await verify([]), { entries: 0 });
});

test('every field of every entry is held by its hash', async () => {
  for (const [name, value] of Object.entries({
    atMs: 1,
    actorId: 'eve',
    details: '{}',
    address: '::1',
    subjectId: 'x',
  })) {
    const records = chain(5).map((record) => (record.sequence === 3 ? { ...record, [name]: value } : record));
    assert.deepEqual((await verify(records)).broken, { sequence: 3, fault: 'altered' }, name);
  }
});

test('gaps, swaps, and entries of another key or tenant show', async () => {
  const records = chain(6);
  assert.deepEqual((await verify(records.filter(({ sequence }) => sequence !== 4))).broken, {
    sequence: 4,
    fault: 'missing',
  });
  const swapped = records.map((record) =>
    record.sequence === 2 || record.sequence === 3
      ? { ...record, subjectId: record.sequence === 2 ? 's3' : 's2' }
      : record,
  );
  assert.deepEqual((await verify(swapped)).broken, { sequence: 2, fault: 'altered' });
  // Who has the database and not the secret can compute hashes, but not these.
  const forged = openAuditSeal(new Uint8Array(32).fill(2));
  assert.deepEqual((await verify(records, forged)).broken, { sequence: 1, fault: 'altered' });
});
