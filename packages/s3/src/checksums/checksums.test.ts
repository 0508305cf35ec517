import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  allowsChecksumType,
  type ChecksumAlgorithm,
  checksumAlgorithmNames,
  checksumAlgorithms,
  defaultChecksumType,
} from './checksum-algorithms.ts';
import { parseChecksumChoice, parseContentMd5, parseRequestChecksum } from './checksum-request.ts';
import { combineCrc, isCrcAlgorithm } from './combine-crc.ts';
import { crc32c, createDigest, digestOf as digestAtOnce } from './digest.ts';
import { multipartChecksum } from './multipart-checksum.ts';

function digestOf(algorithm: ChecksumAlgorithm, ...chunks: readonly Uint8Array[]): Uint8Array {
  const digest = createDigest(algorithm);
  for (const chunk of chunks) digest.update(chunk);
  return digest.digest();
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

// Of "123456789" and of nothing. CRCs: the catalogue of parametrised CRC algorithms; hashes: openssl; XXHASH: the reference
// library. The long XXHASH answers below too: beyond 240 bytes another path of the algorithm runs.
const knownAnswers: Readonly<Record<ChecksumAlgorithm, readonly [check: string, empty: string]>> = {
  CRC32: ['cbf43926', '00000000'],
  CRC32C: ['e3069283', '00000000'],
  CRC64NVME: ['ae8b14860a799888', '0000000000000000'],
  SHA1: ['f7c3bc1d808e04732adf679965ccc34ca7ae3441', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
  SHA256: [
    '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ],
  SHA512: [
    'd9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85',
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  ],
  MD5: ['25f9e794323b453885f5181f1b624d0b', 'd41d8cd98f00b204e9800998ecf8427e'],
  XXHASH64: ['8cb841db40e6ae83', 'ef46db3751d8e999'],
  XXHASH3: ['72dcb18b67a17dff', '2d06800538d394c2'],
  XXHASH128: ['33119477ede5dcd5e9716427681d5860', '99aa06d3014798d86001c324468d497f'],
};

test('known answers', () => {
  for (const algorithm of checksumAlgorithmNames) {
    const [check, empty] = knownAnswers[algorithm];
    assert.equal(hex(digestOf(algorithm, Buffer.from('123456789'))), check, algorithm);
    assert.equal(hex(digestOf(algorithm)), empty, algorithm);
    assert.equal(digestOf(algorithm).length, checksumAlgorithms[algorithm].lengthBytes);
  }
});

test('known answers of long input', () => {
  const input = Buffer.from(Array.from({ length: 2048 }, (_, index) => index % 256));
  assert.equal(hex(digestOf('XXHASH64', input)), '68534a48b7bf5f4d');
  assert.equal(hex(digestOf('XXHASH3', input)), 'dd420471ff96bd00');
  assert.equal(hex(digestOf('XXHASH128', input)), 'df73e0768dd183fadd420471ff96bd00');
});

test('how a body is cut does not matter, nor what is hashed beside it', () => {
  for (const algorithm of checksumAlgorithmNames) {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40_000, size: 'max' }), { maxLength: 5 }), (chunks) => {
        const interleaved = [createDigest(algorithm), createDigest(algorithm), createDigest(algorithm)];
        for (const chunk of chunks) for (const digest of interleaved) digest.update(chunk);
        createDigest(algorithm).update(Buffer.from('given up'));
        const expected = hex(digestOf(algorithm, Buffer.concat(chunks)));
        for (const digest of interleaved) assert.equal(hex(digest.digest()), expected);
      }),
      { numRuns: 20 },
    );
  }
});

test('at once is the same as bit by bit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000, size: 'max' }), fc.nat(5000), (bytes, cut) => {
      for (const algorithm of checksumAlgorithmNames) {
        assert.equal(hex(digestAtOnce(algorithm, bytes)), hex(digestOf(algorithm, bytes)), algorithm);
      }
      assert.equal(crc32c(bytes), Buffer.from(digestOf('CRC32C', bytes)).readUInt32BE());
      assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), crc32c(bytes));
    }),
    { numRuns: 50 },
  );
});

test('combining two CRCs gives the CRC of the bytes together', () => {
  for (const algorithm of checksumAlgorithmNames.filter(isCrcAlgorithm)) {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5000, size: 'max' }),
        fc.uint8Array({ maxLength: 5000, size: 'max' }),
        (a, b) => {
          const combined = combineCrc(algorithm, digestOf(algorithm, a), digestOf(algorithm, b), b.length);
          assert.equal(hex(combined), hex(digestOf(algorithm, a, b)));
        },
      ),
    );
    // A size beyond 32 bits: appending 5 GiB twice must be appending 10 GiB.
    const a = digestOf(algorithm, Buffer.from('a'));
    const none = new Uint8Array(a.length);
    const once = combineCrc(algorithm, a, none, 5 * 2 ** 30);
    const twice = combineCrc(algorithm, once, none, 5 * 2 ** 30);
    assert.equal(hex(twice), hex(combineCrc(algorithm, a, none, 10 * 2 ** 30)));
  }
});

test('checksums of multipart objects', () => {
  const bodies = [Buffer.alloc(5000, 1), Buffer.alloc(5000, 2), Buffer.from('end')];
  for (const algorithm of checksumAlgorithmNames) {
    const parts = bodies.map((body) => ({ checksum: digestOf(algorithm, body), sizeBytes: body.length }));
    const composite = digestOf(algorithm, ...parts.map((part) => part.checksum));
    assert.equal(multipartChecksum(algorithm, 'COMPOSITE', parts), `${base64(composite)}-3`);
    if (isCrcAlgorithm(algorithm)) {
      assert.equal(multipartChecksum(algorithm, 'FULL_OBJECT', parts), base64(digestOf(algorithm, ...bodies)));
      assert.ok(allowsChecksumType(algorithm, 'FULL_OBJECT'));
    } else {
      assert.throws(() => multipartChecksum(algorithm, 'FULL_OBJECT', parts), { code: 'InvalidRequest' });
      assert.ok(!allowsChecksumType(algorithm, 'FULL_OBJECT'));
    }
  }
  assert.equal(defaultChecksumType('CRC32'), 'COMPOSITE');
  assert.equal(defaultChecksumType('CRC64NVME'), 'FULL_OBJECT');
});

test('the checksum that a request declares', () => {
  assert.equal(
    parseRequestChecksum({ 'x-amz-checksum-mode': 'ENABLED', 'x-amz-checksum-type': 'COMPOSITE' }),
    undefined,
  );
  assert.deepEqual(
    parseRequestChecksum({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32' }),
    {
      source: 'header',
      algorithm: 'CRC32',
      value: 'AAAAAA==',
    },
  );
  assert.deepEqual(
    parseRequestChecksum({ 'x-amz-trailer': 'x-amz-checksum-crc64nvme', 'x-amz-sdk-checksum-algorithm': 'crc64nvme' }),
    { source: 'trailer', algorithm: 'CRC64NVME' },
  );
  assert.equal(parseRequestChecksum({ 'x-amz-checksum-crc32': 'AAAAAA==-3' }, { composite: true })?.algorithm, 'CRC32');
  const bad: readonly Readonly<Record<string, string>>[] = [
    { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha1': base64(new Uint8Array(20)) },
    { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-trailer': 'x-amz-checksum-crc32' },
    { 'x-amz-trailer': 'x-amz-checksum-crc32, x-amz-checksum-sha1' },
    { 'x-amz-trailer': 'x-amz-checksum-foo' },
    { 'x-amz-trailer': 'expires' },
    { 'x-amz-checksum-foo': 'AAAAAA==' },
    { 'x-amz-checksum-crc32': 'AAAAAA' },
    { 'x-amz-checksum-crc32': 'AAAA' },
    { 'x-amz-checksum-crc32': '' },
    { 'x-amz-checksum-crc32': 'AAAAAA==-3' },
    { 'x-amz-checksum-sha256': 'AAAAAA==' },
    { 'x-amz-sdk-checksum-algorithm': 'CRC32' },
    { 'x-amz-sdk-checksum-algorithm': 'CRC33', 'x-amz-checksum-crc32': 'AAAAAA==' },
    { 'x-amz-sdk-checksum-algorithm': 'SHA1', 'x-amz-checksum-crc32': 'AAAAAA==' },
  ];
  for (const headers of bad) {
    assert.throws(() => parseRequestChecksum(headers), { code: 'InvalidRequest' }, JSON.stringify(headers));
  }
});

test('Content-MD5', () => {
  assert.equal(parseContentMd5({}), undefined);
  assert.equal(parseContentMd5({ 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }), '1B2M2Y8AsgTpgAmY7PhCfg==');
  for (const value of ['', 'YWJyYWNhZGFicmE=', 'x', '1B2M2Y8AsgTpgAmY7PhCfg']) {
    assert.throws(() => parseContentMd5({ 'content-md5': value }), { code: 'InvalidDigest' });
  }
});

test('what an upload in parts chooses', () => {
  assert.equal(parseChecksumChoice({}), undefined);
  assert.deepEqual(parseChecksumChoice({ 'x-amz-checksum-algorithm': 'sha256' }), {
    algorithm: 'SHA256',
    type: 'COMPOSITE',
  });
  assert.deepEqual(parseChecksumChoice({ 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT' }), {
    algorithm: 'CRC32',
    type: 'FULL_OBJECT',
  });
  const bad: readonly Readonly<Record<string, string>>[] = [
    { 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' },
    { 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'COMPOSITE' },
    { 'x-amz-checksum-algorithm': 'CRC33' },
    { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'PART' },
    { 'x-amz-checksum-type': 'COMPOSITE' },
  ];
  for (const headers of bad) assert.throws(() => parseChecksumChoice(headers), { code: 'InvalidRequest' });
});
