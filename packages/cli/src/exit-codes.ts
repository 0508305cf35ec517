// What the command's exit status means, as one table: scripts and service managers read it, `--help` prints it.
// 130 is the shells' own number for "ended by Ctrl-C".

const exitCodeTable = {
  ok: { status: 0, meaning: 'stopped as asked, or nothing is wrong' },
  rebuilt: { status: 0, meaning: 'the index was made anew; what was damaged is named, and fsck tells what is lost' },
  findings: { status: 1, meaning: 'something is wrong with the store' },
  unexpected: { status: 1, meaning: 'unexpected failure' },
  usage: { status: 2, meaning: 'wrong option, argument, environment variable, configuration or accounts file' },
  port: { status: 3, meaning: 'address in use, or not allowed' },
  data: { status: 4, meaning: 'data folder in use by another process, unreadable, unwritable, or of a newer version' },
  console: { status: 5, meaning: 'the console could not be built' },
  unchecked: { status: 6, meaning: 'the store could not be checked (fsck)' },
  unready: { status: 7, meaning: 'something that the service needs does not answer as it must (serve --check)' },
  interrupted: { status: 130, meaning: 'stopped at once by a second Ctrl-C' },
} as const satisfies Record<string, { readonly status: number; readonly meaning: string }>;

export type ExitName = keyof typeof exitCodeTable;
export const exitCodes: Readonly<Record<ExitName, { readonly status: number; readonly meaning: string }>> =
  exitCodeTable;

/** Those of a command that serves. */
const servingExits: readonly ExitName[] = ['ok', 'unexpected', 'usage', 'port', 'data', 'console', 'interrupted'];
/** Those of `serve`, which has no engine. */
export const serviceExits: readonly ExitName[] = [...servingExits.slice(0, -1), 'unready', 'interrupted'];
/** Those of `fsck`, whose 1 says that it has found something; nothing else of it ends with 1. */
export const checkingExits: readonly ExitName[] = ['ok', 'findings', 'usage', 'data', 'unchecked'];
/** Those of `rebuild`, which serves nothing: 0 also when parts of the journal were damaged, which it says. */
export const rebuildingExits: readonly ExitName[] = ['rebuilt', 'unexpected', 'usage', 'data'];

/** Those of any command, by status. */
export const allExits: readonly ExitName[] = [
  'ok',
  'unexpected',
  'usage',
  'port',
  'data',
  'console',
  'unchecked',
  'unready',
  'interrupted',
];

/** The table as the last paragraph of `--help`. */
export function describeExitCodes(names: readonly ExitName[] = servingExits): string {
  const rows = names.map((name) => `  ${String(exitCodes[name].status).padEnd(4)} ${exitCodes[name].meaning}`);
  return `Exit status:\n${rows.join('\n')}`;
}
