// Where an installed package keeps the script of one of its commands, so that it can be run with this Node and without
// a shell, on every platform.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function commandPath(packageName: string, command: string): string {
  const folder = fileURLToPath(new URL(`../node_modules/${packageName}/`, import.meta.url));
  // package.json is npm's format: `bin` is a path or a path by command.
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin?: string | Record<string, string>;
  };
  const path = typeof bin === 'string' ? bin : bin?.[command];
  if (path === undefined)
    throw new Error(`${packageName} has no command ${command}: its package.json names ${JSON.stringify(bin)}.`);
  return join(folder, path);
}
