// A condition on text that holds a text, whatever characters that has: `%` and `_` mean themselves.

import { type RawBuilder, sql } from 'kysely';

const escapeClause = sql.raw(`ESCAPE '\\'`);

/** Whether a column holds the text. The column is named as SQL names it, with its table where that is needed. */
export function holding(column: string, text: string): RawBuilder<boolean> {
  return sql`${sql.ref(column)} LIKE ${`%${escaped(text)}%`} ${escapeClause}`;
}

/** Whether a column begins with the text. */
export function beginningWith(column: string, text: string): RawBuilder<boolean> {
  return sql`${sql.ref(column)} LIKE ${`${escaped(text)}%`} ${escapeClause}`;
}

function escaped(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`);
}
