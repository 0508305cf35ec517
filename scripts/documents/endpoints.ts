// docs/endpoints.md: what the file service needs of an endpoint, what becomes of uploads without it, and what is known of endpoints,
// from the table that the probes are compared with.

import type { capabilities, knownEndpoints } from '@stowage/files';
import { code, heading, table } from './markdown.ts';

interface EndpointTables {
  readonly capabilities: typeof capabilities;
  readonly knownEndpoints: typeof knownEndpoints;
  /** What no table holds, written by hand. */
  readonly notes: string;
}

const shown = { yes: 'yes', no: 'no', either: 'depends' } as const;

export function renderEndpoints({ capabilities, knownEndpoints, notes }: EndpointTables): string {
  const kinds = Object.keys(knownEndpoints) as (keyof typeof knownEndpoints)[]; // the table's own keys
  const needs = Object.entries(capabilities).map(([name, { what, without }]) => [code(name), what, without]);
  const known = Object.entries(capabilities).map(([name, row]) => [
    code(name),
    ...kinds.map((kind) => shown[row.known[kind]]),
  ]);
  const legend = kinds.map((kind) => `- ${code(kind)}: ${knownEndpoints[kind]}`).join('\n');
  return `${[
    heading('Endpoints of S3 under the file service'),
    notes.trim(),
    '## What is tried, and what becomes of uploads without it',
    table(['Capability', 'What the endpoint does', 'Without it'], needs),
    '## What is known of endpoints',
    `The service compares what it finds with the column of \`kind\`, or with the one it is most like, and logs differences. Where trying out is forbidden, only what stands here as “yes” is relied on.\n\n${legend}`,
    table(['Capability', ...kinds.map(code)], known),
  ].join('\n\n')}\n`;
}
