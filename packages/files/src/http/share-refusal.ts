// What people are told where the page of a share refuses: in words, with what to do. Programs are told problems
// (problem-response.ts).

import { type ProblemCode, problems } from '@stowage/contract';
import type { FilesError } from '../files-error.ts';
import { type Message, renderMessage, renderPasswordForm } from './share-page.ts';

/** `base`: the path of the link, where there is one to go back to. */
export function renderRefusal(
  refusal: FilesError,
  base: string | undefined,
): { readonly text: string; readonly status: number } {
  const { status } = problems[refusal.code];
  if (base === undefined || refusal.code === 'share-ended') return { text: renderMessage(linkEnded), status };
  if (refusal.code === 'password-wrong') return { text: renderPasswordForm({ base, wrong: false }), status };
  return { text: renderMessage(messageOf(refusal, base)), status };
}

const linkEnded: Message = {
  title: 'This link leads nowhere any more',
  text: 'It has expired, was used up or taken back, or what it showed is gone. Ask whoever sent it to you for a new one.',
};

function messageOf({ code, retryAfterSeconds }: FilesError, base: string): Message {
  const again = { href: base, words: 'Back to the link' };
  const words = messages[code];
  if (words !== undefined) return { ...words, link: again };
  const when = retryAfterSeconds === undefined ? 'in a while' : `in ${waitText(retryAfterSeconds)}`;
  if (code === 'too-many-requests') {
    return { title: 'Too many tries', text: `Nothing is lost. Wait, and try again ${when}.`, link: again };
  }
  return {
    title: 'This does not work at the moment',
    text: `Nothing is wrong with what you did. Try again ${when}.`,
    link: again,
  };
}

const messages: Readonly<Partial<Record<ProblemCode, Pick<Message, 'title' | 'text'>>>> = {
  'not-found': {
    title: 'This is not there any more',
    text: 'It was deleted or moved, or the address is not whole. Go back to see what the link shows now, or ask whoever sent it to you.',
  },
  'archive-too-large': {
    title: 'These are too many files for one ZIP',
    text: 'Go back and download them one by one, or ask whoever sent you the link for smaller folders.',
  },
  'invalid-request': {
    title: 'This was not understood',
    text: 'What was sent is not what this page asks for. Go back and try again.',
  },
};

function waitText(seconds: number): string {
  const [count, unit] =
    seconds < 90 ? [Math.max(1, Math.ceil(seconds)), 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
