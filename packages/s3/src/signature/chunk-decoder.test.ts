import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { S3Error } from '../errors.ts';
import {
  type ChunkDecoderOptions,
  createChunkDecoder,
  maxChunkHeaderBytes,
  maxTrailerBytes,
  maxTrailers,
  parseTrailerNames,
} from './chunk-decoder.ts';
import { encodeChunks } from './chunk-encoder.ts';
import { exampleCredentials } from './requests.fixture.ts';
import { scopeOf } from './sign-request.ts';
import { SigningKeys } from './signing-keys.ts';
import type { ChunkSigning } from './verify-signature.ts';

const { accessKeyId, secretAccessKey } = exampleCredentials;
const timestamp = '20130524T000000Z';
const scope = scopeOf({ region: 'us-east-1' }, timestamp);

function signingFrom(seedSignature: string): ChunkSigning {
  const key = new SigningKeys().get(accessKeyId, secretAccessKey, scope);
  return { key, seedSignature, scope: scope.text, timestamp };
}

const signing = signingFrom('4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9');
const checksum = [['x-amz-checksum-crc32c', 'sOO8/Q==']] as const;

interface Decoded {
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string>>;
}

function decode(options: ChunkDecoderOptions, pieces: Iterable<Uint8Array>): Decoded {
  const decoder = createChunkDecoder(options);
  const views: Uint8Array[] = [];
  for (const piece of pieces) views.push(...decoder.push(piece));
  return { trailers: Object.fromEntries(decoder.finish().trailers), body: Buffer.concat(views) };
}

function refusal(options: ChunkDecoderOptions, ...texts: readonly (string | Uint8Array)[]): string {
  try {
    decode(
      options,
      texts.map((text) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : text)),
    );
  } catch (error) {
    assert.ok(error instanceof S3Error, String(error));
    return error.code;
  }
  assert.fail('the body was not refused');
}

const unsigned = { mode: 'unsigned-trailer', decodedLength: 3, declaredTrailers: ['x-amz-checksum-crc32'] } as const;

describe("AWS's published examples", () => {
  const body = Buffer.alloc(66_560, 'a');

  it('signed chunks', () => {
    const text = Buffer.concat([
      Buffer.from('10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n'),
      body.subarray(0, 65_536),
      Buffer.from('\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n'),
      body.subarray(65_536),
      Buffer.from('\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n'),
    ]);
    assert.equal(text.length, 66_824);
    assert.deepEqual(decode({ mode: 'signed', signing, decodedLength: 66_560 }, [text]), { body, trailers: {} });
    assert.deepEqual(encodeChunks(body, { mode: 'signed', signing }), text);
  });

  it('signed chunks with a signed trailer', () => {
    const trailerSigning = signingFrom('106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e');
    const text = Buffer.concat([
      Buffer.from('10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n'),
      body.subarray(0, 65_536),
      Buffer.from('\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n'),
      body.subarray(65_536),
      Buffer.from('\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n'),
      Buffer.from('x-amz-checksum-crc32c:sOO8/Q==\r\n'),
      Buffer.from('x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n'),
    ]);
    const options = {
      mode: 'signed-trailer',
      signing: trailerSigning,
      decodedLength: 66_560,
      declaredTrailers: ['x-amz-checksum-crc32c'],
    } as const;
    assert.deepEqual(decode(options, [text]), { body, trailers: { 'x-amz-checksum-crc32c': 'sOO8/Q==' } });
    const encoded = encodeChunks(body, { mode: 'signed-trailer', signing: trailerSigning, trailers: checksum });
    assert.deepEqual(encoded, text);
  });
});

describe('encode and decode', () => {
  const modes = ['signed', 'signed-trailer', 'unsigned-trailer'] as const;

  function both(
    mode: (typeof modes)[number],
    body: Uint8Array,
    chunkBytes: number,
  ): readonly [Buffer, ChunkDecoderOptions] {
    const trailers = mode === 'signed' ? [] : checksum;
    const declaredTrailers = trailers.map(([name]) => name);
    const decodedLength = body.length;
    if (mode === 'unsigned-trailer') {
      return [encodeChunks(body, { mode, chunkBytes, trailers }), { mode, decodedLength, declaredTrailers }];
    }
    return [
      encodeChunks(body, { mode, signing, chunkBytes, trailers }),
      { mode, signing, decodedLength, declaredTrailers },
    ];
  }

  it('give the same bytes, whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...modes),
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 80 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (mode, body, chunkBytes, cuts) => {
          const [encoded, options] = both(mode, body, chunkBytes);
          const pieces: Uint8Array[] = [];
          for (let at = 0, n = 0; at < encoded.length; n++) {
            const end = at + (cuts[n % cuts.length] ?? 1);
            pieces.push(encoded.subarray(at, end));
            at = end;
          }
          assert.deepEqual(decode(options, pieces).body, Buffer.from(body));
        },
      ),
    );
  });

  for (const mode of modes) {
    it(`give the same bytes at every place of one cut: ${mode}`, () => {
      const body = Buffer.from('The quick brown fox\r\njumps over');
      const [encoded, options] = both(mode, body, 10);
      for (let cut = 0; cut <= encoded.length; cut++) {
        assert.deepEqual(decode(options, [encoded.subarray(0, cut), encoded.subarray(cut)]).body, body);
      }
      assert.deepEqual(
        decode(
          options,
          [...encoded].map((byte) => Uint8Array.of(byte)),
        ).body,
        body,
      );
    });

    it(`refuse a body cut off anywhere: ${mode}`, () => {
      const body = Buffer.from('The quick brown fox');
      const [encoded, options] = both(mode, body, 10);
      // What a verified signature has sealed may lack its last line end.
      const sealed = mode === 'unsigned-trailer' ? encoded.length : encoded.length - 2;
      for (let cut = 0; cut < sealed; cut++) {
        const code = refusal(options, encoded.subarray(0, cut));
        assert.ok(code === 'IncompleteBody' || code === 'MalformedTrailerError', `${code} at ${cut}`);
      }
    });
  }

  it('hand out views, not copies', () => {
    const encoded = encodeChunks(Buffer.from('abc'), { mode: 'unsigned-trailer' });
    const [view] = createChunkDecoder({ mode: 'unsigned-trailer', decodedLength: 3 }).push(encoded);
    assert.equal(view?.buffer, encoded.buffer);
  });

  it('refuse any changed bit of a signed body', () => {
    const body = Buffer.from('The quick brown fox');
    for (const mode of ['signed', 'signed-trailer'] as const) {
      const [encoded, options] = both(mode, body, 10);
      fc.assert(
        fc.property(fc.nat(encoded.length - 1), fc.nat(7), (at, bit) => {
          const changed = Buffer.from(encoded);
          changed[at] = (changed[at] ?? 0) ^ (1 << bit);
          const same = changed.toString('latin1').toLowerCase() === encoded.toString('latin1').toLowerCase();
          // The case of a trailer's name or of the size in hex says nothing, and neither does the last line end.
          if (same || at >= encoded.length - 2) return;
          try {
            const decoded = decode(options, [changed]);
            // What is left: blanks around a trailer, and the CR before its LF.
            assert.deepEqual(decoded.body, body);
            assert.equal(decoded.trailers['x-amz-checksum-crc32c'], 'sOO8/Q==');
          } catch (error) {
            if (!(error instanceof S3Error)) throw error;
          }
        }),
        { numRuns: 1000 },
      );
    }
  });
});

describe('what clients send', () => {
  it('an empty body, and no trailers', () => {
    assert.deepEqual(decode({ mode: 'unsigned-trailer', decodedLength: 0 }, [Buffer.from('0\r\n\r\n')]), {
      body: Buffer.alloc(0),
      trailers: {},
    });
  });

  it("minio-go's trailers, which end with LF CR LF", () => {
    const text = '3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\n\r\n\r\n';
    assert.deepEqual(decode(unsigned, [Buffer.from(text)]).trailers, { 'x-amz-checksum-crc32': 'NSRBwg==' });
    const encoded = encodeChunks(Buffer.from('abc'), { mode: 'signed-trailer', signing, trailers: checksum });
    const theirs = encoded.toString('latin1').replace('sOO8/Q==\r\n', 'sOO8/Q==\n\r\n');
    const options = {
      mode: 'signed-trailer',
      signing,
      decodedLength: 3,
      declaredTrailers: parseTrailerNames('X-Amz-Checksum-Crc32c'),
    } as const;
    assert.equal(decode(options, [Buffer.from(theirs, 'latin1')]).body.toString(), 'abc');
  });
});

describe('what is refused', () => {
  const cases: readonly (readonly [what: string, text: string, code: string])[] = [
    ['no size', '\r\nabc', 'InvalidRequest'],
    ['a size that is not hex', 'x\r\nabc', 'InvalidRequest'],
    ['a size too large for any number', `${'f'.repeat(15)}\r\n`, 'InvalidRequest'],
    ['a negative size', '-3\r\nabc', 'InvalidRequest'],
    ['a bare LF after the size', '3\nabc', 'InvalidRequest'],
    ['an extension', '3;name=value\r\nabc', 'InvalidRequest'],
    ['a chunk longer than its size', '3\r\nabcd\r\n0\r\n\r\n', 'InvalidRequest'],
    ['an endless header', '0'.repeat(maxChunkHeaderBytes + 1), 'InvalidRequest'],
    ['more bytes than announced', '4\r\nabcd\r\n0\r\n\r\n', 'IncompleteBody'],
    ['fewer bytes than announced', '2\r\nab\r\n0\r\n\r\n', 'IncompleteBody'],
    ['nothing', '', 'IncompleteBody'],
    ['no last chunk', '3\r\nabc\r\n', 'IncompleteBody'],
    ['no end of the trailers', '3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n', 'IncompleteBody'],
    ['bytes after the end', '3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\nx', 'InvalidRequest'],
    ['a trailer that did not come', '3\r\nabc\r\n0\r\n\r\n', 'MalformedTrailerError'],
    ['a trailer that was not announced', '3\r\nabc\r\n0\r\nx-amz-meta-a:b\r\n\r\n', 'MalformedTrailerError'],
    ['a trailer without a colon', '3\r\nabc\r\n0\r\nx-amz-checksum-crc32\r\n\r\n', 'MalformedTrailerError'],
    ['a trailer without a name', '3\r\nabc\r\n0\r\n:value\r\n\r\n', 'MalformedTrailerError'],
    [
      'a trailer that came twice',
      '3\r\nabc\r\n0\r\nx-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:b\r\n\r\n',
      'MalformedTrailerError',
    ],
    [
      'an endless trailer',
      `3\r\nabc\r\n0\r\nx-amz-checksum-crc32:${'a'.repeat(maxTrailerBytes)}`,
      'MalformedTrailerError',
    ],
  ];
  for (const [what, text, code] of cases) {
    it(`${what}: ${code}`, () => {
      assert.equal(refusal(unsigned, text), code);
      assert.equal(refusal(unsigned, ...text), code, 'byte by byte');
    });
  }

  it('more trailers than there may be: MalformedTrailerError', () => {
    const names = Array.from({ length: maxTrailers + 1 }, (_, index) => `x-amz-meta-${index}`);
    const text = (count: number): string =>
      `0\r\n${names
        .slice(0, count)
        .map((name) => `${name}:a\r\n`)
        .join('')}\r\n`;
    const options = { mode: 'unsigned-trailer', decodedLength: 0 } as const;
    const allowed = { ...options, declaredTrailers: names.slice(0, maxTrailers) };
    assert.equal(Object.keys(decode(allowed, [Buffer.from(text(maxTrailers))]).trailers).length, maxTrailers);
    assert.equal(refusal({ ...options, declaredTrailers: names }, text(maxTrailers + 1)), 'MalformedTrailerError');
  });

  it('signed chunks without a signature, or with one of another chunk: SignatureDoesNotMatch', () => {
    const options = { mode: 'signed', signing, decodedLength: 3 } as const;
    assert.equal(refusal(options, '3\r\nabc\r\n0\r\n\r\n'), 'InvalidRequest');
    const forged = `3;chunk-signature=${'0'.repeat(64)}\r\nabc\r\n`;
    assert.equal(refusal(options, forged), 'SignatureDoesNotMatch');
    const other = { ...options, signing: signingFrom('0'.repeat(64)) };
    assert.equal(refusal(other, encodeChunks(Buffer.from('abc'), options)), 'SignatureDoesNotMatch');
  });

  it('a signed trailer without its signature, or changed', () => {
    const options = {
      mode: 'signed-trailer',
      signing,
      decodedLength: 3,
      declaredTrailers: ['x-amz-checksum-crc32c'],
    } as const;
    const encoded = encodeChunks(Buffer.from('abc'), { ...options, trailers: checksum }).toString('latin1');
    const without = encoded.replace(/x-amz-trailer-signature:.*\r\n/, '');
    assert.equal(refusal(options, without), 'MalformedTrailerError');
    assert.equal(refusal(options, encoded.replace('sOO8', 'sOO9')), 'SignatureDoesNotMatch');
  });

  it('anything after an error', () => {
    const decoder = createChunkDecoder(unsigned);
    assert.throws(() => decoder.push(Buffer.from('zz\r\n')), { code: 'InvalidRequest' });
    assert.throws(() => decoder.push(Buffer.from('3\r\nabc\r\n0\r\n\r\n')), { code: 'InvalidRequest' });
    assert.throws(() => decoder.finish(), { code: 'InvalidRequest' });
  });
});
