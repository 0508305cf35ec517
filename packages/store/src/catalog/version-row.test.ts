import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checksumAlgorithmNames } from '@stowage/s3';
import fc from 'fast-check';
import { blockCount } from '../blobs/block-checksums.ts';
import {
  type BodyLocation,
  decodeSummary,
  decodeVersionRow,
  encodeVersionRow,
  locationOf,
  placeInJournal,
} from './version-row.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
const size = fc.integer({ min: 0, max: 2 ** 43 });

const plain = { noNullPrototype: true } as const;
const versionRow = fc
  .record(
    {
      sequence: size,
      sizeBytes: size,
      lastModifiedMs: size,
      etag: fc.oneof(
        hex,
        fc.tuple(hex, fc.integer({ min: 1, max: 70_000 })).map(([md5, parts]) => `${md5}-${parts}`),
        text,
      ),
      checksum: fc.option(
        fc.record(
          {
            algorithm: fc.constantFrom(...checksumAlgorithmNames),
            type: fc.constantFrom('COMPOSITE' as const, 'FULL_OBJECT' as const),
            value: fc.base64String({ maxLength: 88 }),
          },
          plain,
        ),
        { nil: undefined },
      ),
      attributes: fc.record(
        {
          systemMetadata: fc.dictionary(text, text, { noNullPrototype: true }),
          userMetadata: fc.dictionary(text, text, { noNullPrototype: true }),
          storageClass: fc.constantFrom('STANDARD', 'DEEP_ARCHIVE', 'OTHER'),
          owner: text,
        },
        plain,
      ),
      kind: fc.constantFrom('empty', 'journal', 'blob', 'manifest'),
    },
    plain,
  )
  .map(({ kind, ...row }) => {
    const sizeBytes = kind === 'journal' ? row.sizeBytes % 1_000_000 : row.sizeBytes;
    return { ...row, sizeBytes, location: locationFor(kind, sizeBytes) };
  });

function locationFor(kind: string, sizeBytes: number): BodyLocation {
  if (kind === 'journal')
    return { kind, segment: 3, offset: 99, checksums: Buffer.alloc(blockCount(sizeBytes) * 4, 5) };
  if (kind === 'blob') return { kind, blobId: Buffer.alloc(10, 9) };
  if (kind === 'manifest') return { kind, manifestId: 2 ** 40 };
  return { kind: 'empty' };
}

describe('version row', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(versionRow, (row) => {
        const bytes = encodeVersionRow(row);
        assert.deepEqual(decodeVersionRow(bytes), row);
        const { attributes, location: _location, checksum, ...shared } = row;
        const { owner, storageClass } = attributes;
        const expected = { ...shared, bucket: 'b', key: 'k', versionId: 'null', owner, storageClass };
        assert.deepEqual(decodeSummary(bytes, 'b', 'k'), checksum === undefined ? expected : { ...expected, checksum });
      }),
    );
  });

  it('learns its place in the journal afterwards', () => {
    const checksums = Buffer.from([1, 2, 3, 4]);
    const location = { kind: 'journal', segment: 0, offset: 0, checksums } as const;
    const attributes = { systemMetadata: {}, userMetadata: {}, storageClass: 'STANDARD', owner: 'o' };
    const row = encodeVersionRow({
      sequence: 1,
      sizeBytes: 9,
      lastModifiedMs: 2,
      etag: 'e',
      checksum: undefined,
      attributes,
      location,
    });
    placeInJournal(row, 4_000_000_000, 60_000_000);
    assert.deepEqual(locationOf(row), { kind: 'journal', segment: 4_000_000_000, offset: 60_000_000, checksums });
  });
});
