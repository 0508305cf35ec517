// What a schema wanted, in our words: what zod says of it is written for programmers of TypeScript, and changes with its versions.
// A schema that knows better than its kind says so itself, by a message that begins with “expected ”.

import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
const formats: Readonly<Record<string, string>> = {
  url: 'an address that begins with http:// or https://',
  email: 'an e-mail address',
  datetime: 'a time like 2026-11-21T09:30:00Z',
  date: 'a day like 2026-11-21',
};
const ownWords = 'expected ';
const maxNested = 4;

/** As it follows “expected”. */
export function expectationOf(issue: Issue): string {
  if (issue.message.startsWith(ownWords)) return issue.message.slice(ownWords.length);
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? 'another kind of value';
    case 'invalid_value':
      return `${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return sizeWords(issue.origin, `at least ${issue.minimum}`, issue.minimum);
    case 'too_big':
      return sizeWords(issue.origin, `at most ${issue.maximum}`, issue.maximum);
    case 'invalid_format':
      return formats[issue.format] ?? `text that matches ${issue.pattern ?? issue.format}`;
    case 'invalid_key':
      return `another name: ${issue.issues.slice(0, maxNested).map(expectationOf).join(', ')}`;
    case 'invalid_union': {
      const ways = issue.errors.flatMap((way) => way.slice(0, 1).map(expectationOf));
      return [...new Set(ways)].slice(0, maxNested).join(', or ');
    }
    case 'custom':
      // Ours, where a schema gives one.
      return issue.message === 'Invalid input' ? 'another value' : `another value (${issue.message})`;
    default:
      return 'another value';
  }
}

function sizeWords(origin: string, bound: string, count: number | bigint): string {
  const one = Number(count) === 1;
  if (origin === 'string') return `text of ${bound} character${one ? '' : 's'}`;
  if (origin === 'array') return `a list of ${bound} entr${one ? 'y' : 'ies'}`;
  return `a number of ${bound}`;
}
