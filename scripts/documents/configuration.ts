// docs/configuration.md: every setting of `stowage serve` and `stowage start`, from the table that they are checked by.

import type { defaultLimits } from '@stowage/files';
import type { Setting } from 'stowage';
import { code, heading, table } from './markdown.ts';

interface ConfigurationTables {
  readonly settings: Readonly<Record<string, Setting>>;
  readonly limits: typeof defaultLimits;
}

const introduction = `\`stowage serve\` and \`stowage start\` are configured by a file, by the environment, by options of the command line, or all three: an
option wins over the environment, the environment over the file, the file over the default. The file is named by \`--config\` or
\`STOWAGE_CONFIG\`; nothing is looked for by itself. It is JSON, or a module (\`.ts\`, \`.mts\`, \`.js\`, \`.mjs\`) with a default export:

\`\`\`json
{
  "host": "0.0.0.0",
  "publicUrl": "https://files.example.com",
  "s3": { "endpoint": "https://s3.example.com", "bucket": "files", "region": "eu-central-1" },
  "database": { "url": { "file": "/run/secrets/database-url" } },
  "secret": { "file": "/run/secrets/stowage" },
  "clamd": { "address": "127.0.0.1:3310" },
  "policies": { "images": { "types": ["image/*"], "maxSizeBytes": 20000000 } }
}
\`\`\`

\`\`\`ts
import type { StowageConfiguration } from 'stowage';

export default {
  s3: { bucket: 'files' },
  policies: { scans: { types: ['application/pdf'], namePattern: /^[A-Z]{2}-\\d+\\.pdf$/ } },
} satisfies StowageConfiguration;
\`\`\`

All settings are checked before anything is opened, and everything that is wrong is told at once. A name that is not known is refused in
the file; a variable that begins with \`STOWAGE_\` and means nothing is logged, because Kubernetes makes such variables by itself. An empty
variable counts as absent. A **secret** is never shown; it can be given as the name of a file whose content it is, by \`<VARIABLE>_FILE\` or
\`{"file": "…"}\`, where a relative name is seen from the configuration file. Lists in the environment have commas between; objects are JSON; true and false can be written \`1\`, \`yes\`, \`0\`, \`no\`.

\`stowage serve --check\` checks the configuration, tries database, bucket and scanner, says of each how it is, and ends: with status 0 if
all is well, 2 if the configuration is wrong, 7 if something does not answer as it must. It changes nothing but the bucket's CORS rule, and
puts small objects under \`probes/\` that it removes again.`;

export function renderConfiguration({ settings, limits }: ConfigurationTables): string {
  const groups: readonly (readonly [string, (name: string) => boolean])[] = [
    ['The service', (name) => !name.includes('.') && !policyNames.has(name)],
    ['The bucket (`s3`)', (name) => name.startsWith('s3.')],
    ['The database', (name) => name.startsWith('database.')],
    ['What may be uploaded, and who may', (name) => policyNames.has(name) || name.startsWith('clamd.')],
    ['Events of the bucket (`eventsIn`)', (name) => name.startsWith('eventsIn.')],
    ['Logs and traces', (name) => name.startsWith('log.') || name.startsWith('telemetry.')],
    ['The engine of `start`', (name) => name.startsWith('engine.')],
  ];
  const sections = groups.map(([title, holds]) => {
    const rows = Object.entries(settings)
      .filter(([name]) => holds(name))
      .map(([name, setting]) => rowOf(name, setting));
    return `## ${title}\n\n${table(['Setting', 'Variable', 'What it is', 'Expected', 'Default'], rows)}`;
  });
  const shown = Object.entries(limits).map(([name, value]) => [code(name), value.toLocaleString('en')]);
  return `${[
    heading('Configuration'),
    introduction,
    ...sections,
    `## Limits\n\nThe unit is the last word of a name. What each limits, packages/files/src/limits.ts says.`,
    table(['Limit', 'Default'], shown),
  ].join('\n\n')}\n`;
}

/** Settings without a dot that belong together for other reasons. */
const policyNames: ReadonlySet<string> = new Set([
  'policies',
  'limits',
  'issuers',
  'auditDownloads',
  'allowPrivateWebhooks',
]);

function rowOf(name: string, setting: Setting): readonly string[] {
  const { variable, otherVariable, summary, expected, unit, secret, commands } = setting;
  const variables = [variable, otherVariable].filter((each) => each !== undefined).map(code);
  const remarks = [
    ...(secret === true ? ['**Secret.**'] : []),
    ...(commands.length === 1 && !name.startsWith('engine.') ? [`Only of \`${commands[0]}\`.`] : []),
  ];
  return [
    code(name),
    variables.join(' or '),
    [summary, ...remarks].join(' '),
    unit === undefined ? expected : `${expected} (${unit})`,
    setting.default ?? 'none',
  ];
}
