// The part of docs/access.md that says who may do what, from the contract's tables of actions and roles.

import { type actions, type Role, roleAllows, type roles } from '@stowage/contract';
import { code, table } from './markdown.ts';

interface RightsTables {
  readonly actions: typeof actions;
  readonly roles: typeof roles;
}

const begin = '<!-- rights: written by npm run docs -->';
const end = '<!-- /rights -->';

const keyWords = { usual: 'yes', named: 'where its scopes name it', never: 'never' } as const;
const judgedWords = { folder: 'folder by folder', tenant: 'tenant', service: 'service' } as const;

/** The page with its tables made anew; all that stands around them is written by hand. */
export function renderAccess(text: string, { actions, roles }: RightsTables): string {
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/access.md lacks ${begin} … ${end}.`);
  const names = Object.keys(roles) as Role[]; // the table's own keys
  const byRole = [
    ...names.map((name) => [code(name), roles[name].summary]),
    [code('none'), 'What grants give, and its own keys.'],
  ];
  const byAction = (Object.keys(actions) as (keyof typeof actions)[]).map((action) => {
    const { summary, byKey, judged } = actions[action];
    const held = names.filter((role) => roleAllows(role, action)).map(code);
    const holders = held.length === 0 ? 'who runs the service' : held.length === names.length ? 'all' : held.join(', ');
    return [code(action), summary, holders, judgedWords[judged], keyWords[byKey]];
  });
  const tables = [
    table(['Role', 'May'], byRole),
    table(['Action, and scope of a key', 'What it is', 'Roles', 'Judged by', 'A key has it'], byAction),
  ];
  return `${before}${begin}\n${tables.join('\n\n')}\n${end}${after}`;
}
