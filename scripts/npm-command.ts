// How to start npm: the one that started this script, or the one on PATH.

import { existsSync } from 'node:fs';
import process from 'node:process';

interface NpmCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Windows finds npm.cmd only through a shell. */
  readonly shell: boolean;
}

export function npmCommand(...args: readonly string[]): NpmCommand {
  const path = process.env.npm_execpath;
  if (path?.endsWith('npm-cli.js') && existsSync(path)) {
    return { file: process.execPath, args: [path, ...args], shell: false };
  }
  return { file: 'npm', args, shell: process.platform === 'win32' };
}
