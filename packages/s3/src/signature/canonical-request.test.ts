import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalPath, canonicalQuery, canonicalRequest, uriEncode, uriEncodePath } from './canonical-request.ts';

describe('canonicalPath', () => {
  const cases: readonly (readonly [raw: string, canonical: string])[] = [
    ['/a/b-c_d.e~f', '/a/b-c_d.e~f'],
    ['/a//b/../c/.', '/a//b/../c/.'],
    ['/a+b', '/a%2Bb'],
    ['/a%20b', '/a%20b'],
    ['/%e2%82%ac', '/%E2%82%AC'],
    ['/%41', '/A'],
    ['/a%2Fb', '/a/b'],
    ['/a%252Fb', '/a%252Fb'],
    ["/(a)!'*", '/%28a%29%21%27%2A'],
    ['/100%', '/100%25'],
    ['/%zz', '/%25zz'],
    ['/\xe2\x82\xac', '/%E2%82%AC'],
  ];
  for (const [raw, canonical] of cases) {
    it(`of ${JSON.stringify(raw)} is ${canonical}`, () => assert.equal(canonicalPath(raw), canonical));
  }

  it('of what uriEncodePath made is that', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        const path = uriEncodePath(`/${key}`);
        assert.equal(canonicalPath(path), path);
        assert.equal(decodeURIComponent(path), `/${key.toWellFormed()}`);
      }),
    );
  });
});

describe('canonicalQuery', () => {
  it('sorts by name, then by value, after encoding', () => {
    const query = [
      ['b', '2'],
      ['a-b', 'x'],
      ['a', 'z'],
      ['a', 'Z'],
      ['é', ''],
      ['X', ' +'],
    ] as const;
    assert.equal(canonicalQuery(query), '%C3%A9=&X=%20%2B&a=Z&a=z&a-b=x&b=2');
    assert.equal(canonicalQuery(query, 'b'), '%C3%A9=&X=%20%2B&a=Z&a=z&a-b=x');
    assert.equal(canonicalQuery([]), '');
  });
});

describe('canonicalRequest', () => {
  it('trims values and joins blanks, and takes nothing from the prototype', () => {
    const text = canonicalRequest({
      method: 'GET',
      path: '/',
      query: '',
      headers: { host: 'h', 'x-amz-meta-a': '  a \t b  ' },
      signedHeaders: 'constructor;host;x-amz-meta-a',
      payload: 'UNSIGNED-PAYLOAD',
    });
    assert.equal(
      text,
      'GET\n/\n\nconstructor:\nhost:h\nx-amz-meta-a:a b\n\nconstructor;host;x-amz-meta-a\nUNSIGNED-PAYLOAD',
    );
  });
});

describe('uriEncode', () => {
  it('never throws, and leaves only what is unreserved', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
        assert.match(uriEncode(String.fromCharCode(...units)), /^(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})*$/);
      }),
    );
  });
});
