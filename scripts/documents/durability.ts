// docs/durability.md: how the store's promise is kept and shown, with a table of what was switched off and which history noticed.

import { code, heading, table } from './markdown.ts';

interface DurabilityTables {
  readonly mutations: readonly { readonly name: string; readonly invariant: number; readonly breaks: string }[];
  /** By name of the mutation. */
  readonly catches: Readonly<Record<string, { readonly seed: number; readonly kind: string }>>;
  /** Written by hand. */
  readonly notes: string;
}

export function renderDurability({ mutations, catches, notes }: DurabilityTables): string {
  const rows = mutations.map(({ name, invariant, breaks }) => {
    const caught = catches[name];
    return [String(invariant), name, breaks, caught === undefined ? '' : `${code(String(caught.seed))} ${caught.kind}`];
  });
  return `${[
    heading('Durability'),
    notes.trim(),
    '## Each invariant switched off\n\nA proof that would also pass without the thing that it proves is none. So each invariant, ' +
      'and parts of them, is switched off in turn by a patch of the text when it is loaded (`tests/mutations/`), and some ' +
      'history must notice; the same history passes on the code as it is. `npm run crash -- --mutations` tries all of them ' +
      'again and looks for another seed where one has gone stale.',
    table(['Invariant', 'Switched off', 'What happens then', 'Noticed by seed'], rows),
  ].join('\n\n')}\n`;
}
