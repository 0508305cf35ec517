// `stowage rebuild`: makes the index of a store anew from its journal, for when the index is damaged or lost.

import { countInWords, sizeInWords, tellProgress } from '../progress.ts';
import { explainStoreError, findStoreFolder } from '../store-folder.ts';
import type { Terminal } from '../terminal.ts';

/** @throws CommandError `data`. */
export async function runRebuildCommand({ data }: { readonly data: string }, terminal: Terminal): Promise<void> {
  const directory = await findStoreFolder(data);
  const { rebuildStore } = await import('@stowage/store');
  const progress = tellProgress(terminal);
  try {
    const summary = await rebuildStore({
      directory,
      onBegin: () => terminal.tell(`Making the index of ${directory} anew from its journal …`),
      onProgress: ({ doneBytes, totalBytes }) => progress({ phase: 'journal', doneBytes, totalBytes }),
    });
    const { segments, journalBytes, buckets, objects, uploads, damage, formerIndex } = summary;
    const read = `${countInWords(segments, 'segment')} of the journal (${sizeInWords(journalBytes)})`;
    const found = [
      countInWords(buckets, 'bucket'),
      countInWords(objects, 'object'),
      countInWords(uploads, 'unfinished upload'),
    ];
    const lines = [`The index was made anew from ${read}: ${found.join(', ')}.`];
    for (const { file, offset, description, objects: named = [] } of damage) {
      lines.push(`Damaged: ${file} at ${offset}: ${description}`);
      for (const { bucket, key } of named) lines.push(`  concerns ${bucket}/${key}`);
    }
    if (damage.length > 0) {
      lines.push('Copies of the damaged bytes are in quarantine/. Run `stowage fsck` to see what is lost.');
    }
    if (formerIndex !== undefined) lines.push(`The index that was there is kept as ${formerIndex}-*.`);
    terminal.print(`${lines.join('\n')}\n`);
  } catch (error) {
    throw explainStoreError(error, directory);
  }
}
