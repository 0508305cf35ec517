// Mends what the rule on unused exports objects to: takes the word `export` away. What then has no use inside its file
// either, the linter reports. Run by hand, on the folders one is working in:
//   node tests/tidy/drop-unused-exports.ts packages/engine scripts

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { unusedExports } from './rules/exports.ts';
import { readTree } from './source-tree.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = process.argv.slice(2);
if (folders.length === 0) throw new Error('Name the folders whose files may be changed.');

for (const { path, line } of unusedExports(await readTree(root))) {
  if (line === undefined || !folders.some((folder) => path.startsWith(folder))) continue;
  const lines = (await readFile(join(root, path), 'utf8')).split('\n');
  const found = lines[line - 1] ?? '';
  const mended = found.replace(
    /^export (?=(declare |abstract |async )?(interface|type|const|let|function|class) )/,
    '',
  );
  if (mended === found) console.log(`${path}:${line}: mend by hand: ${found.trim()}`);
  lines[line - 1] = mended;
  await writeFile(join(root, path), lines.join('\n'));
  if (mended !== found) console.log(`${path}:${line}: ${mended.trim()}`);
}
