// docs/compatibility.md: every operation of S3 by name, whether it is built, how it is recognised, what permission it
// needs; and before the table the deliberate differences that were written by hand.

import type { Operation } from '@stowage/s3';
import { code, heading, table } from './markdown.ts';

interface CompatibilityTables {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly status: Readonly<Record<string, 'built' | 'not-built'>>;
  readonly notes: string;
}

export function renderCompatibility({ operations, status, notes }: CompatibilityTables): string {
  const names = Object.keys(operations).sort();
  const built = names.filter((name) => status[name] === 'built');
  const rest = names.filter((name) => status[name] !== 'built');
  const intro =
    `The table of operations is AWS's own service model for S3, plus the browser's form upload. ${built.length} of ` +
    `${names.length} are built. Every other answers \`NotImplemented\` by its name: a request is never taken for another one.`;
  const rows = (chosen: readonly string[]) =>
    chosen.flatMap((name) => {
      const operation = operations[name];
      return operation === undefined
        ? []
        : [[name, code(requestOf(operation)), code(operation.action), remark(operation)]];
    });
  const head = ['Operation', 'Request', 'Permission', ''];
  return `${[
    heading('S3 compatibility'),
    intro,
    notes.trim(),
    `## Built (${built.length})`,
    table(head, rows(built)),
    `## Not built (${rest.length})`,
    table(head, rows(rest)),
  ].join('\n\n')}\n`;
}

function requestOf({ method, level, query, header, form }: Operation): string {
  const path = { service: '/', bucket: '/bucket', object: '/bucket/key' }[level];
  const parameters = query.length > 0 ? `?${query.join('&')}` : '';
  const also = [header, form && 'multipart/form-data'].filter((part) => typeof part === 'string');
  return `${method} ${path}${parameters}${also.length > 0 ? ` (${also.join(', ')})` : ''}`;
}

function remark({ supersededBy, endpoint }: Operation): string {
  if (supersededBy !== undefined) return `older name of ${supersededBy}`;
  return endpoint === undefined ? '' : `at AWS on its own endpoint (${endpoint})`;
}
