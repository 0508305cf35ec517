// The beginning of a text, to be shown beside its name and found by.

import { sniffedBytes } from './type-rules.ts';

/** Characters of an excerpt. */
const excerptCharacters = 500;

const textTypes = /^text\/(?!html)|^application\/([a-z0-9.-]+\+)?(json|yaml|sql|toml)$/;

/** The first characters of a text, white space drawn together; `undefined` of what is no text. */
export function excerptOf(contentType: string, firstBytes: Uint8Array): string | undefined {
  if (!textTypes.test(contentType) || firstBytes.length === 0) return undefined;
  const text = new TextDecoder().decode(firstBytes, { stream: firstBytes.length >= sniffedBytes });
  const words = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    .replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, ' ')
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .trim();
  const excerpt = [...words.slice(0, 2 * excerptCharacters)].slice(0, excerptCharacters).join('');
  return excerpt === '' ? undefined : excerpt;
}
