// docs/content.md says in words what the tables say: it must hold each row, as it is rendered here.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { contentFindings } from '@stowage/contract';
import { defaultLimits } from '../limits.ts';
import { contentRules, isPreviewable, isSafeInline, outcomeOf } from './content-rules.ts';
import { typeRules } from './type-rules.ts';

const document = await readFile(new URL('../../../../docs/content.md', import.meta.url), 'utf8');
/** Columns are padded by hand. */
const rows = new Set(document.split('\n').map((line) => line.replace(/ +/g, ' ').trim()));

test('docs/content.md holds every finding, and what becomes of it', () => {
  for (const finding of contentFindings) {
    const { words, outcome, choice, shown } = contentRules[finding];
    const becomes = outcome === 'reject' ? 'refused' : 'taken and marked';
    const row = `| \`${finding}\` | ${words} | ${becomes} | ${choice ? 'yes' : 'no'} | ${shown ? 'yes' : 'no'} |`;
    assert.ok(rows.has(row), `docs/content.md lacks: ${row}`);
  }
});

test('docs/content.md holds every rule for types, in their order', () => {
  for (const [index, { words, gives }] of typeRules.entries()) {
    const given = gives in contentRules ? `refused as \`${gives}\`` : gives.includes('/') ? `\`${gives}\`` : gives;
    const row = `| ${index + 1} | ${words} | ${given} |`;
    assert.ok(rows.has(row), `docs/content.md lacks: ${row}`);
  }
});

test('docs/content.md names the limits and their defaults', () => {
  for (const name of [
    'imagePixels',
    'zipEntries',
    'zipUnpackedBytes',
    'zipRatio',
    'zipRatioFromBytes',
    'zipNestedRatio',
    'zipDirectoryBytes',
  ] as const) {
    const row = `| \`${name}\` | ${defaultLimits[name].toLocaleString('en-GB')} |`;
    assert.ok(
      [...rows].some((line) => line.startsWith(row)),
      `docs/content.md lacks: ${row}`,
    );
  }
});

test('a policy chooses where the table lets it', () => {
  assert.equal(outcomeOf('image-bomb'), 'reject');
  assert.equal(outcomeOf('image-bomb', { 'image-bomb': 'mark' }), 'mark');
  assert.equal(outcomeOf('active-content', { 'active-content': 'reject' }), 'reject');
  assert.equal(outcomeOf('disguised-program', { 'disguised-program': 'mark' }), 'reject');
});

test('a mark takes away what it must', () => {
  const png = { contentType: 'image/png', contentMarks: [] };
  assert.deepEqual([isSafeInline(png), isPreviewable(png)], [true, true]);
  const double = { ...png, contentMarks: ['active-content'] as const };
  assert.deepEqual([isSafeInline(double), isPreviewable(double)], [false, true]);
  const bomb = { ...png, contentMarks: ['image-bomb'] as const };
  assert.deepEqual([isSafeInline(bomb), isPreviewable(bomb)], [false, false]);
});
