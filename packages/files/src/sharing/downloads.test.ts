import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'content-disposition';
import fc from 'fast-check';
import { dispositionHeader } from './downloads.ts';

test('any name gives one ASCII header that cannot be broken out of', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (name) => {
      const header = dispositionHeader(name, 'attachment');
      assert.match(header, /^attachment; [\x20-\x7e]+$/);
      const shown = parse(header).parameters.filename ?? '';
      assert.doesNotMatch(shown, /[\r\n/\\\u202e]/);
    }),
    { verbose: true },
  );
});

test('names in every script come through', () => {
  for (const name of ['文件.txt', 'שלום.txt', 'naïve.txt', '😀.png', 'a "b" c.txt', '100%.txt', "it's.txt"]) {
    assert.equal(parse(dispositionHeader(name, 'inline')).parameters.filename, name);
  }
});

test('marks that turn the direction of text are dropped, separators and line ends replaced', () => {
  const shown = (name: string): string | undefined => parse(dispositionHeader(name, 'attachment')).parameters.filename;
  assert.equal(shown('photo\u202egpj.exe'), 'photogpj.exe');
  assert.equal(shown('../../etc/passwd'), '.._.._etc_passwd');
  assert.equal(shown('a\r\nb'), 'a__b');
  assert.equal(shown('\u202e'), 'file');
});
