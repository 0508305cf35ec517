// The instrumented source, written once for all processes that are to die of it: types taken out, ready to be run.

import { writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { instrumentService, serviceSource } from './find-failpoints.ts';

/** Writes the file that doomed-process.ts is given. */
export async function prepareSources(file: string): Promise<void> {
  const sources = (await instrumentService()).map(
    ({ path, text }) => [new URL(path, serviceSource).href, stripTypeScriptTypes(text)] as const,
  );
  await writeFile(file, JSON.stringify(Object.fromEntries(sources)));
}
