// `stowage fsck`: checks a store that is not open, and says what is wrong in words or as JSON. Exit status 0 says that nothing
// is, 1 that something is; everything else, that it could not be checked.

import type { CheckReport, Finding } from '@stowage/store';
import { CommandError } from '../command-error.ts';
import type { ExitName } from '../exit-codes.ts';
import { countInWords, sizeInWords, tellProgress } from '../progress.ts';
import { explainStoreError, findStoreFolder } from '../store-folder.ts';
import type { Terminal } from '../terminal.ts';

export interface FsckCommandOptions {
  readonly data: string;
  readonly repair: boolean;
  readonly json: boolean;
  /** Where indexes are made instead of in the store's folder. */
  readonly scratch?: string | undefined;
}

/** @throws CommandError `data`, `unchecked`. */
export async function runFsckCommand(options: FsckCommandOptions, terminal: Terminal): Promise<ExitName> {
  const { data, repair, json, scratch } = options;
  if (repair && scratch !== undefined) {
    throw new CommandError('unchecked', '--repair makes its indexes in the store’s own folder: leave --scratch out.');
  }
  const directory = await findStoreFolder(data);
  try {
    const { checkStore, findingKinds } = await import('@stowage/store');
    const report = await checkStore({
      directory,
      repair,
      onProgress: tellProgress(terminal),
      ...(scratch === undefined ? undefined : { scratch }),
    });
    const remedyOf = ({ kind }: Finding): { readonly wrong: boolean; readonly remedy: string } => findingKinds[kind];
    terminal.print(json ? `${JSON.stringify({ directory, ...report }, undefined, 2)}\n` : describe(report, remedyOf));
    return report.clean ? 'ok' : 'findings';
  } catch (error) {
    const explained = explainStoreError(error, directory);
    if (explained !== error) throw explained;
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new CommandError('unchecked', `The store in ${directory} could not be checked:\n${what}`, { cause: error });
  }
}

/** Findings that are written out; `--json` has more. */
const maxWritten = 200;
/** Objects named for each. */
const maxNamed = 20;

function describe(
  report: CheckReport,
  remedyOf: (finding: Finding) => { readonly wrong: boolean; readonly remedy: string },
): string {
  const { segments, journalBytes, blobs, blobBytes, buckets, objects, uploads } = report.checked;
  const lines = [
    `Checked ${countInWords(segments, 'segment')} (${sizeInWords(journalBytes)}) and ${countInWords(blobs, 'blob')} ` +
      `(${sizeInWords(blobBytes)}): ${countInWords(buckets, 'bucket')}, ${countInWords(objects, 'object')}, ` +
      `${countInWords(uploads, 'unfinished upload')}.`,
  ];
  const told = new Set<string>();
  for (const finding of report.findings.slice(0, maxWritten)) {
    const { wrong, remedy } = remedyOf(finding);
    lines.push('', `${wrong ? 'Wrong' : 'Note'}: ${placeOf(finding)}${finding.description}`);
    for (const { bucket, key } of (finding.objects ?? []).slice(0, maxNamed)) lines.push(`  concerns ${bucket}/${key}`);
    const more = (finding.objects?.length ?? 0) - maxNamed;
    if (more > 0) lines.push(`  and ${countInWords(more, 'more object')}`);
    if (!told.has(remedy)) lines.push(`  ${remedy}`);
    told.add(remedy);
  }
  const total = Object.values(report.counts).reduce((sum, count) => sum + count, 0);
  if (total > maxWritten)
    lines.push('', `… and ${countInWords(total - maxWritten, 'more finding')}; --json lists them.`);
  if (report.actions.length > 0) lines.push('', 'Repair:');
  for (const { done, description } of report.actions) lines.push(`  ${done ? 'done: ' : 'not done: '}${description}`);
  if (report.lost.length > 0) lines.push('', 'Cannot be read any more, wholly or in part:');
  for (const { bucket, key } of report.lost.slice(0, maxWritten)) lines.push(`  ${bucket}/${key}`);
  lines.push('', resultOf(report), '');
  return lines.join('\n');
}

function placeOf({ file, offset, sizeBytes = 0 }: Finding): string {
  if (file === undefined) return '';
  return offset === undefined || sizeBytes === 0 ? `${file}: ` : `${file} at ${offset}, ${sizeBytes} bytes: `;
}

function resultOf({ clean, actions }: CheckReport): string {
  if (clean) return 'Nothing is wrong.';
  return actions.length === 0 ? 'Something is wrong.' : 'Something was wrong. Run fsck again to see what is left.';
}
