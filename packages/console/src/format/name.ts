// Names in sentences, where a long one would bury what is said of it.

const maxCharacters = 60;
const endCharacters = 16;

/** The whole name, or its beginning and its end: what tells files apart often stands before the ending. */
export function briefName(name: string): string {
  const characters = Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment);
  if (characters.length <= maxCharacters) return name;
  const start = characters.slice(0, maxCharacters - endCharacters - 1).join('');
  return `${start}…${characters.slice(-endCharacters).join('')}`;
}
