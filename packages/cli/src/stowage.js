#!/usr/bin/env node
// The `stowage` command begins here, in JavaScript that Nodes of many years can read: an old one is told what is needed instead of
// stumbling over TypeScript. As it is published and in a clone it is this same file; packing renames what it leads to.

import process from 'node:process';

const neededNodeMajor = 24;

if (Number(process.versions.node.split('.')[0]) < neededNodeMajor) {
  process.stderr.write(
    `stowage needs Node ${neededNodeMajor} or newer, and this is ${process.version} (${process.execPath}).\n` +
      'Install a newer Node (https://nodejs.org), or run it by `npm start` in a clone, which brings its own.\n',
  );
  process.exitCode = 2;
} else {
  import(new URL('./main.ts', import.meta.url).href);
}
