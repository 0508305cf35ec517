// What the `stowage` command does, once stowage.js has found that this Node can run it. It keeps compiled code between runs, reads the
// command line and turns what happened into an exit status. Everything heavy is imported by the command that needs it, so that
// `--help` and a second start are quick.

import module from 'node:module';
import process from 'node:process';

module.enableCompileCache();
const { runProgram } = await import('./program.ts');
// exitCode, not exit(): what is still being written to a pipe is not cut off.
process.exitCode = await runProgram(process.argv.slice(2));
