import assert from 'node:assert/strict';
import { it } from 'node:test';
import { briefName, shownName } from './shown-name.ts';

it('shows what would turn the direction of a name', () => {
  assert.equal(shownName('photo\u202egnp.exe.txt'), 'photo[U+202E]gnp.exe.txt');
  assert.equal(shownName('a\u2066b\u2069\u200f\u061c.pdf'), 'a[U+2066]b[U+2069][U+200F][U+061C].pdf');
  assert.equal(shownName('two\nlines'), 'two[U+000A]lines');
});

it('leaves names of any script as they are', () => {
  for (const name of ['Überblick 2026.pdf', 'صورة.png', 'می‌خواهم.txt', '👩‍💻.txt', '日本.txt'])
    assert.equal(shownName(name), name);
});

it('briefName keeps the beginning and the end of a long name, and every character whole', () => {
  assert.equal(briefName('letter.txt'), 'letter.txt');
  const family = '👨‍👩‍👧‍👦';
  assert.equal(briefName(`${family.repeat(80)}.txt`), `${family.repeat(43)}…${family.repeat(12)}.txt`);
});
