// Why unfinished uploads could not go on by themselves, in words, and what to do about it.

import type { MissedFile } from '@stowage/client';
import { briefName } from '@stowage/contract';

const advice: Readonly<Record<MissedFile['reason'], string>> = {
  'not-remembered': 'This browser does not remember where it lies. Choose it again to go on.',
  'not-allowed': 'The browser was not given leave to read it. Press Resume again and allow it, or choose the file.',
  'not-found': 'It was moved or deleted, or cannot be read. Choose it where it lies now.',
  changed:
    'It was changed since its upload was begun, so the two would not fit together. Give this upload up and upload the file anew.',
};

/** Of several the reason is said where it is one. */
export function describeMissed(missed: readonly MissedFile[]): { readonly title: string; readonly detail: string } {
  const [first] = missed;
  if (first === undefined) return { title: 'All uploads go on', detail: '' };
  if (missed.length === 1)
    return { title: `“${briefName(first.upload.name)}” does not go on`, detail: advice[first.reason] };
  const title = `${missed.length} uploads do not go on`;
  const isOneReason = missed.every(({ reason }) => reason === first.reason);
  if (isOneReason && first.reason === 'not-allowed') {
    return {
      title,
      detail:
        'The browser was not given leave to read their files. Press Resume again and allow it, or choose the files.',
    };
  }
  const changed = missed
    .filter(({ reason }) => reason === 'changed')
    .map(({ upload }) => `“${briefName(upload.name)}”`);
  const wrong =
    changed.length === 0
      ? ''
      : ` Changed since: ${changed.slice(0, 3).join(', ')}${changed.length > 3 ? ' and others' : ''}; these must be uploaded anew.`;
  return { title, detail: `Choose their files again to go on.${wrong}` };
}
