// Every rule on a bad example (it must object) and a good one (it must not): a rule that cannot fail proves nothing.

import assert from 'node:assert/strict';
import test from 'node:test';
import { importCycles } from './rules/cycles.ts';
import { decisionNumbers, longDocuments } from './rules/documents.ts';
import { barrels, exportsForTestsAlone, publicExportsWithoutUse, unusedExports } from './rules/exports.ts';
import {
  importsOutsideLayers,
  importsPastTheIndex,
  nodeModulesInBrowserPackages,
  undeclaredDependencies,
} from './rules/layers.ts';
import { licences, lockfileGaps, looseVersions } from './rules/manifests.ts';
import { type Rule, renderProblem } from './rules/problem.ts';
import { longestFiles, longestFunctions } from './rules/sizes.ts';
import {
  bannedText,
  emptyNames,
  environmentReads,
  missingOpenings,
  swallowedErrors,
  typeHoles,
} from './rules/wording.ts';
import { treeOf } from './source-tree.ts';

type Files = Readonly<Record<string, string>>;

interface Example {
  readonly rule: Rule;
  readonly bad: readonly Files[];
  readonly good: readonly Files[];
  /** What the objection to each bad example must say. */
  readonly says: RegExp;
}

const manifest = (fields: object): string => JSON.stringify({ name: '@stowage/x', version: '1.0.0', ...fields });
const lock = (packages: object): Files => ({ 'package-lock.json': JSON.stringify({ packages }) });
/** Joined, so that the rules do not object to this file. */
const joined = (...parts: string[]): string => parts.join('');

const examples: Readonly<Record<string, Example>> = {
  importsOutsideLayers: {
    rule: importsOutsideLayers,
    bad: [
      { 'packages/s3/src/a.ts': `import { x } from '@stowage/store';` },
      { 'packages/files/src/a.ts': `import type { X } from '@stowage/engine';` },
      { 'packages/engine/src/a.ts': `const { x } = await import('@stowage/files');` },
      { 'packages/s3/src/a.ts': `export type X = import('@stowage/store').Y;` },
      { 'packages/unheard/src/a.ts': `import { x } from '@stowage/s3';` },
      { 'packages/engine/src/a.ts': `import { x } from 'stowage';` },
    ],
    good: [
      { 'packages/engine/src/a.ts': `import { x } from '@stowage/s3'; import { y } from '@stowage/engine';` },
      { 'tests/any/a.test.ts': `import { x } from '@stowage/engine';` },
    ],
    says: /layers\.ts/,
  },
  importsPastTheIndex: {
    rule: importsPastTheIndex,
    bad: [
      { 'packages/engine/src/a.ts': `import { x } from '@stowage/s3/errors';` },
      { 'packages/engine/src/a.ts': `import { x } from '../../s3/src/errors.ts';` },
      { 'tests/any/a.test.ts': `import { x } from '@stowage/s3/errors';` },
    ],
    good: [
      { 'packages/engine/src/deep/a.ts': `import { x } from '../b.ts'; const u = new URL('../../', import.meta.url);` },
    ],
    says: /import/,
  },
  nodeModulesInBrowserPackages: {
    rule: nodeModulesInBrowserPackages,
    bad: [{ 'packages/client/src/a.ts': `import { open } from 'node:fs';` }],
    good: [
      { 'packages/client/src/a.test.ts': `import { open } from 'node:fs';` },
      { 'packages/engine/src/a.ts': `import { open } from 'node:fs';` },
      { 'packages/console/vite.config.ts': `import { open } from 'node:fs';` },
    ],
    says: /browser/,
  },
  undeclaredDependencies: {
    rule: undeclaredDependencies,
    bad: [
      { 'packages/s3/src/a.ts': `import { x } from 'left-pad';`, 'packages/s3/package.json': manifest({}) },
      {
        'packages/s3/src/a.ts': `import { x } from '@scope/tool/part';`,
        'packages/s3/package.json': manifest({ devDependencies: { '@scope/tool': '1.0.0' } }),
      },
    ],
    good: [
      {
        'packages/s3/src/a.ts': `import { x } from '@scope/tool/part';`,
        'packages/s3/src/a.test.ts': `import { y } from 'checker';`,
        'packages/s3/package.json': manifest({ dependencies: { '@scope/tool': '1.0.0' } }),
        'package.json': manifest({ devDependencies: { checker: '1.0.0' } }),
      },
    ],
    says: /does not declare/,
  },
  importCycles: {
    rule: importCycles,
    bad: [
      { 'a.ts': `import { b } from './b.ts';`, 'b.ts': `import type { a } from './a.ts';` },
      { 'a.ts': `import './b.ts';`, 'b.ts': `import './c.ts';`, 'c.ts': `type A = import('./a.ts').A;` },
      { 'a.ts': `import { a } from './a.ts';` },
    ],
    good: [{ 'a.ts': `import './b.ts'; import './c.ts';`, 'b.ts': `import './c.ts';`, 'c.ts': '' }],
    says: /imports itself/,
  },
  unusedExports: {
    rule: unusedExports,
    bad: [
      { 'packages/s3/src/a.ts': `export const lonely = 1;` },
      {
        'packages/s3/src/a.ts': `export interface Lonely { x: 1 }`,
        'packages/s3/src/b.ts': `import { other } from './a.ts';`,
      },
      { 'packages/s3/src/a.ts': `export default 1;` },
    ],
    good: [
      { 'packages/s3/src/a.ts': `export const x = 1;`, 'packages/s3/src/b.ts': `import { x as y } from './a.ts';` },
      { 'packages/s3/src/a.ts': `export const x = 1;`, 'packages/s3/src/index.ts': `export { x } from './a.ts';` },
      { 'packages/s3/src/a.ts': `export const x = 1;`, 'packages/s3/src/index.ts': `export * from './a.ts';` },
      { 'packages/s3/src/a.ts': `export const x = 1;`, 'packages/s3/src/b.ts': `const a = await import('./a.ts');` },
      { 'packages/console/vite.config.ts': 'export default {};' },
    ],
    says: /exports (lonely|Lonely|default)/,
  },
  barrels: {
    rule: barrels,
    bad: [{ 'packages/s3/src/all.ts': `export * from './a.ts';` }],
    good: [{ 'packages/s3/src/index.ts': `export * from './a.ts';` }],
    says: /barrel/,
  },
  bannedText: {
    rule: bannedText,
    bad: [
      { 'a.test.ts': joined('test.', "only('x', () => {});") },
      { 'a.ts': joined('// TO', 'DO: later') },
      { 'a.ts': joined('// @ts-', 'ignore') },
      { 'docs/a.md': joined('See /wo', 'rk/main/x.') },
      { 'a.ts': joined('// Built in the next is', 'sue.') },
    ],
    good: [{ 'a.ts': '// The only test of the network layer; works in /workspace too.' }],
    says: /"/,
  },
  typeHoles: {
    rule: typeHoles,
    bad: [{ 'a.ts': 'export const x: any = 1;' }, { 'a.ts': 'export const x = y as any;' }],
    good: [{ 'a.ts': '// any\nexport const any: unknown = 1;' }],
    says: /`any`/,
  },
  swallowedErrors: {
    rule: swallowedErrors,
    bad: [{ 'a.ts': 'try { f(); } catch {}' }, { 'a.ts': 'try { f(); } catch (error) { }' }],
    good: [{ 'a.ts': 'try { f(); } catch { g(); }' }, { 'a.ts': 'try { f(); } catch { /* gone already */ }' }],
    says: /swallows/,
  },
  missingOpenings: {
    rule: missingOpenings,
    bad: [{ 'a.ts': 'export const x = 1;\n// late' }],
    good: [
      { 'a.ts': '// What it is.\n' },
      { 'a.ts': '#!/usr/bin/env node\n// What it is.\n' },
      { 'a.test.ts': 'test();' },
    ],
    says: /opening comment/,
  },
  emptyNames: {
    rule: emptyNames,
    bad: [
      { 'packages/s3/src/utils.ts': '' },
      { 'src/string-helpers.ts': '' },
      { 'src/shared/a.ts': '' },
      { 'src/fooBar.ts': '' },
    ],
    good: [{ 'src/base64.ts': '', 'src/object-store.contract.ts': '', 'vite.config.ts': '' }],
    says: /says nothing|kebab-case/,
  },
  environmentReads: {
    rule: environmentReads,
    bad: [{ 'packages/engine/src/a.ts': 'const home = process.env.HOME;' }],
    good: [
      {
        'packages/cli/src/a.ts': 'const home = process.env.HOME;',
        'packages/engine/src/b.ts': '// no process.env here',
      },
    ],
    says: /environment/,
  },
  looseVersions: {
    rule: looseVersions,
    bad: [
      { 'packages/x/package.json': manifest({ dependencies: { left: '^1.0.0' } }), 'package.json': manifest({}) },
      { 'packages/x/package.json': manifest({ version: '1.0.1' }), 'package.json': manifest({}) },
    ],
    good: [
      { 'packages/x/package.json': manifest({ dependencies: { left: '1.0.0-rc.1' } }), 'package.json': manifest({}) },
    ],
    says: /version/,
  },
  licences: {
    rule: licences,
    bad: [
      lock({ 'node_modules/viral': { version: '1.0.0', license: 'GPL-3.0', integrity: 'x' } }),
      lock({ 'node_modules/both': { license: '(MIT AND AGPL-3.0)', integrity: 'x' } }),
      lock({ 'node_modules/silent': { version: '1.0.0', integrity: 'x' } }),
    ],
    good: [
      lock({
        'node_modules/fine': { license: '(MIT OR GPL-3.0)', integrity: 'x' },
        'node_modules/@img/sharp-libvips-linux-x64': { license: 'LGPL-3.0-or-later', integrity: 'x' },
        'packages/own': { license: 'Apache-2.0' },
      }),
    ],
    says: /licence/,
  },
  lockfileGaps: {
    rule: lockfileGaps,
    bad: [
      lock({ 'node_modules/tool': { optionalDependencies: { '@tool/darwin-arm64': '1.0.0' } } }),
      lock({ 'node_modules/tool': { resolved: joined('https', '://registry.example/tool.tgz') } }),
    ],
    good: [
      lock({
        'node_modules/tool': { optionalDependencies: { '@tool/darwin-arm64': '1.0.0' } },
        'node_modules/@tool/darwin-arm64': { version: '1.0.0' },
      }),
    ],
    says: /lacks @tool|registry/,
  },
  longDocuments: {
    rule: longDocuments,
    bad: [{ 'README.md': 'line\n'.repeat(151) }, { 'decisions/001-x.md': 'line\n'.repeat(71) }],
    good: [{ 'README.md': 'line\n'.repeat(150), 'docs/long.md': 'line\n'.repeat(500) }],
    says: /lines/,
  },
  decisionNumbers: {
    rule: decisionNumbers,
    bad: [{ 'decisions/002-late.md': '' }, { 'decisions/001-a.md': '', 'decisions/001-b.md': '' }],
    good: [{ 'decisions/001-a.md': '', 'decisions/002-b.md': '' }],
    says: /decision/,
  },
};

for (const [name, { rule, bad, good, says }] of Object.entries(examples)) {
  test(name, () => {
    for (const files of bad) {
      const problems = rule(treeOf(files));
      assert.equal(problems.length, 1, `one objection to ${JSON.stringify(files)}, got ${problems.length}`);
      assert.match(renderProblem(problems[0] ?? { path: '', message: '' }), says);
    }
    for (const files of good) assert.deepEqual(rule(treeOf(files)), [], JSON.stringify(files));
  });
}

test('questions are found', () => {
  const tree = treeOf({
    'packages/s3/src/index.ts': `export { used, idle } from './a.ts';`,
    'packages/s3/src/a.ts': `export const used = 1; export const idle = 2; export const seam = 3;`,
    'packages/s3/src/a.test.ts': `import { seam } from './a.ts';`,
    'packages/store/src/a.ts': `import { used } from '@stowage/s3';\nexport function long() {\n${'f();\n'.repeat(500)}}`,
  });
  assert.deepEqual([...publicExportsWithoutUse(tree)], [['s3', ['idle']]]);
  assert.deepEqual(exportsForTestsAlone(tree), ['packages/s3/src/a.ts: seam']);
  assert.match(longestFiles(tree).join(), /store\/src\/a\.ts: 503 lines/);
  assert.match(longestFunctions(tree).join(), /long, 502 lines/);
});
