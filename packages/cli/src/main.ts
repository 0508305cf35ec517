#!/usr/bin/env node
// The `stowage` command. It keeps compiled code between runs, reads the command line and turns what happened into an exit
// status. Everything heavy is imported by the command that needs it, so that `--help` and a second start are quick.

import module from 'node:module';
import process from 'node:process';

const neededNodeMajor = 24;

if (Number(process.versions.node.split('.')[0]) < neededNodeMajor) {
  process.stderr.write(
    `stowage needs Node ${neededNodeMajor} or newer, and this is ${process.version} (${process.execPath}).\n` +
      'Install a newer Node, or run it by `npm start` in a clone, which brings its own.\n',
  );
  process.exitCode = 2;
} else {
  module.enableCompileCache();
  const { runProgram } = await import('./program.ts');
  // exitCode, not exit(): what is still being written to a pipe is not cut off.
  process.exitCode = await runProgram(process.argv.slice(2));
}
