// Holds the tree to its rules. Each rule is a function in rules/, tried on bad examples in rules.test.ts.

import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { fileURLToPath } from 'node:url';
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
import { readTree, type SourceTree, treeOf } from './source-tree.ts';

const rules: Readonly<Record<string, Rule>> = {
  'packages import only what layers.ts allows': importsOutsideLayers,
  'packages are entered through their index': importsPastTheIndex,
  'browser packages import nothing of Node': nodeModulesInBrowserPackages,
  'imported packages are declared': undeclaredDependencies,
  'no file imports itself by way of others': importCycles,
  'every export has a user': unusedExports,
  'only an index is a barrel': barrels,
  'nothing is switched off, put off or named after a machine': bannedText,
  'no any': typeHoles,
  'no error is swallowed': swallowedErrors,
  'files open with what they are': missingOpenings,
  'names say what a file holds': emptyNames,
  'the environment is read in packages/cli alone': environmentReads,
  'versions are exact': looseVersions,
  'licences are permissive': licences,
  'the lockfile is whole for every platform': lockfileGaps,
  'documents are short': longDocuments,
  'decisions are numbered': decisionNumbers,
};

let tree: SourceTree = treeOf({});
before(async () => {
  tree = await readTree(fileURLToPath(new URL('../../', import.meta.url)));
});

for (const [name, rule] of Object.entries(rules)) {
  test(name, () => {
    const problems = rule(tree).map(renderProblem);
    assert.ok(problems.length === 0, `\n${problems.join('\n')}\n`);
  });
}

test('questions', (t) => {
  const publicNames = [...publicExportsWithoutUse(tree)].map(([name, names]) => `${name}: ${names.join(', ')}`);
  const questions: Record<string, readonly string[]> = {
    'Long files. Are they two things?': longestFiles(tree),
    'Long functions. Are they two things?': longestFunctions(tree),
    'Exported by an index, used by no other package. Does a user need them?': publicNames,
    'Exported for a test alone. Is the seam in the right place?': exportsForTestsAlone(tree),
  };
  for (const [question, lines] of Object.entries(questions)) {
    if (lines.length > 0) t.diagnostic(`${question}\n  ${lines.join('\n  ')}`);
  }
});
