// Names of files and folders as they are drawn, wherever they are: in the console and on the page of a share. A character that turns
// the direction of text, or that nobody sees, would let a name show another ending than it has ("photo<U+202E>gnp.exe.txt" looks like
// phototxt.exe.png): its code is shown in its place. What leaves as the name of a file is another matter (files: sharing/shown-name.ts).

/** Bidirectional controls (Unicode's Bidi_Control), line and paragraph separators, and what else is not printed but the plain joiners. */
const unseen = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** What to draw where a name stands. Not for what goes back to the service. */
export function shownName(name: string): string {
  return name.replace(
    unseen,
    (character) => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}

/**
 * The whole name, or its beginning and its end where a long one would bury what is said of it: what tells files apart often stands
 * before the ending. Counted are characters as people see them.
 */
export function briefName(
  name: string,
  { maxCharacters = 60, endCharacters = 16 }: { readonly maxCharacters?: number; readonly endCharacters?: number } = {},
): string {
  const characters = Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment);
  if (characters.length <= maxCharacters) return name;
  const start = characters.slice(0, maxCharacters - endCharacters - 1).join('');
  return `${start}…${characters.slice(-endCharacters).join('')}`;
}
