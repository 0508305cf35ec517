// How text becomes the words it is found by: the same for what is kept and for what is asked, and the same on every database.
// Case, the spelling of accents, and punctuation do not matter; letters and digits are words of their own too (`IMG1234` is
// found by `1234`); scripts that are written without spaces are cut into pairs of characters.

/** Words of one file; what comes after is not found. */
const maxWords = 2_000;
const maxWordCharacters = 64;
/** Words of one question. */
const maxAskedWords = 16;

/** Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar: no spaces between words. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const runs = new RegExp(`(?:${unspaced.source})+|[\\p{L}\\p{N}\\p{M}]+`, 'gu');

/** What is kept of a file, words with a space between. The first one says whose it is, so that other tenants' are passed over. */
export function searchWords(file: {
  readonly tenantId: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly text: string;
}): string {
  const words = new Set([tenantWord(file.tenantId)]);
  for (const text of [file.name, ...file.tags, file.text]) {
    for (const run of runsOf(text)) {
      for (const word of keptWords(run)) {
        if (words.size >= maxWords) break;
        words.add(word.slice(0, maxWordCharacters));
      }
    }
  }
  return [...words].join(' ');
}

/** What a question asks for: every word must be found, each as the beginning of a kept one. Empty when it has no word. */
export function askedWords(question: string): readonly string[] {
  const words = new Set<string>();
  for (const run of runsOf(question)) {
    for (const word of unspaced.test(run) ? pairs(run, 'asked') : [run]) words.add(word.slice(0, maxWordCharacters));
  }
  return [...words].slice(0, maxAskedWords);
}

/** A word that no text has: it is no run of letters and digits that a person would write. */
export function tenantWord(tenantId: string): string {
  return `tenant0${Buffer.from(tenantId).toString('hex')}0`;
}

function runsOf(text: string): string[] {
  return (
    text
      .normalize('NFKD')
      .replace(/[\u0300-\u036f]/g, '')
      .normalize('NFKC')
      .toLowerCase()
      .match(runs) ?? []
  );
}

function keptWords(run: string): readonly string[] {
  if (unspaced.test(run)) return pairs(run, 'kept');
  const pieces = run.match(/\p{N}+|[^\p{N}]+/gu) ?? [];
  return pieces.length > 1 ? [run, ...pieces] : [run];
}

/** `東京都` is kept as 東京, 京都, 都 and asked for as 東京, 京都: one character alone finds the pairs that it begins. */
function pairs(run: string, use: 'kept' | 'asked'): string[] {
  const characters = [...run];
  const found = characters.slice(0, -1).map((character, at) => `${character}${characters[at + 1] ?? ''}`);
  const last = characters.at(-1) ?? '';
  return use === 'kept' || found.length === 0 ? [...found, last] : found;
}
