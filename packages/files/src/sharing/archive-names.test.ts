import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openArchiveNames } from './archive-names.ts';

const nameOf = (...path: string[]): string => openArchiveNames().take(path);

test('what leads elsewhere leads nowhere', () => {
  assert.equal(nameOf('..', '..', 'etc', 'passwd'), '_/_/etc/passwd');
  assert.equal(nameOf('/etc/passwd'), '_etc_passwd');
  assert.equal(nameOf('../../evil.txt'), '.._.._evil.txt');
  assert.equal(nameOf('C:\\Windows\\evil.dll'), 'C__Windows_evil.dll');
  assert.equal(nameOf('.'), '_');
  assert.equal(nameOf(''), '_');
  assert.equal(nameOf('a\0b\u0085c\u2028d'), 'a_b_c_d');
  assert.equal(nameOf('script.exe. . '), 'script.exe');
  assert.equal(nameOf('alone \ud800'), 'alone \ufffd');
});

test('what Windows takes for a device is a file', () => {
  for (const name of ['CON', 'nul.txt', 'Aux.tar.gz', 'com1', 'LPT9.log', 'COM\u00b2', 'prn .txt', 'CONIN$']) {
    assert.equal(nameOf(name, name), `_${name}/_${name}`);
  }
  for (const name of ['console.txt', 'com', 'com12', 'null', 'auxiliary']) assert.equal(nameOf(name), name);
});

test('marks that turn the direction of text are dropped', () => {
  assert.equal(nameOf('photo\u202egpj.exe'), 'photogpj.exe');
  assert.equal(nameOf('\u061c\u2066\u200f'), '_');
  assert.equal(nameOf('\u05e9\u05dc\u05d5\u05dd.txt'), '\u05e9\u05dc\u05d5\u05dd.txt');
});

test('no two entries get one place, whatever the system takes for the same', () => {
  const names = openArchiveNames();
  assert.equal(names.take(['plan.txt']), 'plan.txt');
  assert.equal(names.take(['PLAN.txt']), 'PLAN (2).txt');
  assert.equal(names.take(['caf\u00e9']), 'caf\u00e9');
  assert.equal(names.take(['cafe\u0301']), 'cafe\u0301 (2)', 'put together in another way');
  assert.equal(names.take(['stra\u00dfe']), 'stra\u00dfe');
  assert.equal(names.take(['STRASSE']), 'STRASSE (2)');
  assert.equal(names.take(['plan.txt', 'in']), 'plan (3).txt/in', 'a folder where a file is');
  assert.equal(names.take(['plan.txt', 'too']), 'plan (3).txt/too', 'and it stays one folder');
  assert.equal(names.take(['a?', 'x']), 'a_/x');
  assert.equal(names.take(['a*', 'x']), 'a_ (2)/x', 'another folder whose name becomes the same');
});

test('names that are all the same cost a few steps each, however many there are', () => {
  const count = 50_000;
  let steps = 0;
  const names = openArchiveNames((name) => {
    steps += 1;
    return name.toLowerCase();
  });
  const made = new Set<string>();
  for (let index = 0; index < count; index++) made.add(names.take(['plan', index % 2 === 0 ? 'a.txt' : 'A.txt']));
  for (let index = 0; index < count; index++) made.add(names.take([`folder ${index}`.slice(0, 6), `a (${index}).txt`]));
  assert.equal(made.size, 2 * count);
  assert.ok(made.has(`plan/A (${count}).txt`));
  assert.ok(steps <= 8 * count, `${steps} steps for ${2 * count} names`);
});

test('any paths give names that are safe and differ', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('..', '.', '/', 'con', 'NUL.', ' ', 'a', 'A', 'a.', '\u202e', 'a (2)'),
  );
  fc.assert(
    fc.property(fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { maxLength: 20 }), (paths) => {
      const names = openArchiveNames();
      const made = paths.map((path) => names.take(path));
      const folded = made.map((name) => name.normalize('NFC').toLowerCase());
      assert.equal(new Set(folded).size, made.length);
      for (const [index, name] of made.entries()) {
        const parts = name.split('/');
        assert.equal(parts.length, paths[index]?.length);
        for (const one of parts) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
          assert.doesNotMatch(one, /^(?:con|nul)(?:\.|$)|[. ]$|^$|[\0-\x1f\\:\u202e]/i);
        }
        for (const other of folded) assert.ok(!other.startsWith(`${folded[index]}/`), `${name} is a file and a folder`);
      }
    }),
    { verbose: true },
  );
});
