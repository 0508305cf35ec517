import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isS3Error } from '@stowage/s3';
import fc from 'fast-check';
import { FormDecoder, parseBoundary } from './form-decoder.ts';

interface DecodedForm {
  readonly fields: [name: string, value: string][];
  file?: { fileName: string; contentType: string | undefined; bytes: Buffer };
}

function decode(body: Uint8Array, cuts: readonly number[] = [], boundary = 'xx'): DecodedForm {
  const decoder = new FormDecoder({ boundary, maxFieldsBytes: 20_000 });
  const form: DecodedForm = { fields: [] };
  const edges = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length];
  for (const [index, from] of edges.slice(0, -1).entries()) {
    // A copy that is overwritten afterwards: what the decoder keeps must be its own.
    const chunk = Buffer.from(body.subarray(from, edges[index + 1]));
    for (const event of decoder.push(chunk)) {
      if (event.kind === 'field') form.fields.push([event.name, event.value]);
      else if (event.kind === 'file') form.file = { ...event, bytes: Buffer.alloc(0) };
      else if (form.file !== undefined) form.file.bytes = Buffer.concat([form.file.bytes, event.bytes]);
    }
    chunk.fill(0x2d);
  }
  decoder.end();
  return form;
}

function encode(fields: readonly (readonly [string, string])[], file: Uint8Array, after = ''): Buffer {
  const parts = fields.map(
    ([name, value]) => `--xx\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--xx\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\nContent-Type: text/plain\r\n\r\n`;
  return Buffer.concat([Buffer.from(parts.join('') + head), file, Buffer.from(`\r\n${after}--xx--\r\n`)]);
}

function refusal(body: string, code: string): void {
  assert.throws(
    () => decode(Buffer.from(body)),
    (cause) => isS3Error(cause) && cause.code === code,
    body,
  );
}

describe('FormDecoder', () => {
  it('gives back what was encoded, however it is cut', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !value.includes('\r\n--xx'));
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom('\r\n--x', '\r\n-', '\r', '--xx\r\n', '\r\r\n--').map((s) => Buffer.from(s)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('key', 'x-amz-meta-a'), text), { maxLength: 4 }),
        file,
        fc.array(fc.nat(), { maxLength: 12 }),
        (fields, bytes, cuts) => {
          fc.pre(!Buffer.from(bytes).includes('\r\n--xx'));
          const form = decode(encode(fields, bytes), cuts);
          assert.deepEqual(form.fields, fields);
          assert.deepEqual(form.file?.bytes, Buffer.from(bytes));
          assert.equal(form.file?.fileName, 'a b.txt');
          assert.equal(form.file?.contentType, 'text/plain');
        },
      ),
    );
  });

  it('takes every single cut of one form', () => {
    const body = encode(
      [
        ['key', 'k'],
        ['empty', ''],
      ],
      Buffer.from('abc\r\n--x'),
      '--xx\r\nContent-Disposition: form-data; name="submit"\r\n\r\nUpload\r\n',
    );
    for (let cut = 0; cut <= body.length; cut++) {
      const form = decode(body, [cut]);
      assert.deepEqual(form.fields, [
        ['key', 'k'],
        ['empty', ''],
      ]);
      assert.equal(form.file?.bytes.toString(), 'abc\r\n--x');
    }
  });

  it('reads names as browsers write them', () => {
    const body =
      '--xx\r\ncontent-disposition:form-data;name=file;filename="C:\\\\dir\\a%22b\\"ü.txt"\r\n\r\n\r\n--xx--';
    assert.equal(decode(Buffer.from(body)).file?.fileName, 'C:\\\\dir\\a"b"ü.txt');
  });

  it('skips a preamble, and white space after a delimiter', () => {
    const body = 'preamble\r\n--xx \t\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--xx--\r\nepilogue';
    assert.deepEqual(decode(Buffer.from(body)).fields, [['a', '1']]);
  });

  it('refuses what is no form', () => {
    refusal('', 'MalformedPOSTRequest');
    refusal('--xx', 'MalformedPOSTRequest');
    refusal('--xxyy\r\n', 'MalformedPOSTRequest');
    refusal('--xx\r\n\r\n\r\n--xx--', 'MalformedPOSTRequest');
    refusal('--xx\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--xx--', 'MalformedPOSTRequest');
    refusal('--xx\r\nContent-Disposition: form-data\r\n\r\n1\r\n--xx--', 'MalformedPOSTRequest');
    refusal('--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', 'MalformedPOSTRequest');
    refusal(`--xx\r\n${'x'.repeat(9000)}`, 'MalformedPOSTRequest');
  });

  it('limits the fields, not the file', () => {
    refusal(
      `--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n${'x'.repeat(20_001)}\r\n--xx--`,
      'MaxPostPreDataLengthExceeded',
    );
    refusal(`${'x'.repeat(20_001)}`, 'MaxPostPreDataLengthExceeded');
    assert.equal(decode(encode([], Buffer.alloc(50_000))).file?.bytes.length, 50_000);
  });
});

describe('parseBoundary', () => {
  it('reads it bare or quoted', () => {
    assert.equal(parseBoundary('multipart/form-data; boundary=----WebKit123'), '----WebKit123');
    assert.equal(parseBoundary('multipart/form-data; charset=utf-8; Boundary="a b:c"'), 'a b:c');
  });

  it('refuses a missing one and one that is too long', () => {
    for (const type of [undefined, 'multipart/form-data', `multipart/form-data; boundary=${'x'.repeat(71)}`]) {
      assert.throws(
        () => parseBoundary(type),
        (cause) => isS3Error(cause) && cause.code === 'MalformedPOSTRequest',
      );
    }
  });
});
