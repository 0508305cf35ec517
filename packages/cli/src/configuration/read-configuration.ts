// Options, environment and file become one checked set of settings. Everything that is wrong is found before anything is said, so
// that it is mended in one go; each line says where it stands, what came, what was expected. Secrets are not repeated.

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { expectationOf, hiddenValue, namesAt, nearestName } from '@stowage/contract';
import type { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { readConfigurationFile } from './configuration-file.ts';
import type { Setting, SettingCommand } from './setting.ts';
import { type SettingName, type Settings, settingNames, settings } from './settings.ts';

interface ReadConfigurationOptions {
  readonly command: SettingCommand;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Of the command line, by setting; already checked. They win. */
  readonly options: Settings;
  /** The file that `--config` names. Default: that of STOWAGE_CONFIG, or none. */
  readonly file: string | undefined;
}

interface Configuration {
  readonly settings: Settings;
  /** What is no error and yet not as meant, a line each. */
  readonly remarks: readonly string[];
}

const configurationVariable = 'STOWAGE_CONFIG';
/** Variables of other commands, of tests, and of what makes variables by itself: Kubernetes names each service's. */
const otherVariables = /^STOWAGE_(CONFIG|DURABILITY|TEST_.*|BENCH_.*|SERVICE_.*|PORT_\d+_TCP.*)$/;
const maxReported = 50;
const maxShownCharacters = 80;

/** A value as it was given, and the place to name when it is wrong. */
interface GivenValue {
  readonly place: string;
  readonly value: unknown;
}

/** @throws CommandError `usage` with a line for everything that is wrong. */
export async function readConfiguration(options: ReadConfigurationOptions): Promise<Configuration> {
  const { command, variables } = options;
  const wrong: string[] = [];
  const remarks: string[] = [];
  const path = options.file ?? nonEmpty(variables[configurationVariable]);
  const given = new Map<SettingName, GivenValue>();
  if (path !== undefined) {
    for (const [name, value] of flatten(await readConfigurationFile(path), wrong)) given.set(name, value);
  }
  for (const [name, value] of await readVariables(variables, wrong)) given.set(name, value);
  tellUnknownVariables(variables, remarks);

  const values: Record<string, unknown> = {};
  for (const [name, { place, value }] of given) {
    const row: Setting = settings[name];
    const isOther = !row.commands.includes(command);
    // The environment is shared by many programs; a file is written for this one.
    if (isOther && place === name) remarks.push(`${name} is read by \`stowage ${row.commands.join(', ')}\` alone.`);
    // What a configuration file names lies beside it, wherever the command was started.
    const folder = path !== undefined && place === name ? dirname(resolve(path)) : '.';
    const plain = row.secret === true ? await readSecretFile({ place, value }, folder, wrong) : { place, value };
    if (plain === undefined || isOther) continue;
    const parsed = row.schema.safeParse(plain.value);
    if (parsed.success) values[name] = parsed.data;
    else wrong.push(...explain(row, plain, parsed.error));
  }
  Object.assign(values, options.options);
  // Each value was made by the schema of its own row, or is an option's.
  const settled = values as Settings;
  requireTogether(command, settled, wrong, given);
  if (wrong.length === 0) return { settings: settled, remarks };
  const shown = wrong.slice(0, maxReported).map((line) => `  ${line}`);
  if (wrong.length > shown.length) shown.push(`  … and ${wrong.length - shown.length} more`);
  throw new CommandError('usage', `The configuration cannot be used:\n${shown.join('\n')}\nSee docs/configuration.md.`);
}

/** The file's tree as settings by name. What it has that is no setting is wrong. */
function flatten(document: unknown, wrong: string[]): Map<SettingName, GivenValue> {
  const found = new Map<SettingName, GivenValue>();
  const walk = (value: unknown, prefix: string): void => {
    if (!isRecord(value)) {
      const where = prefix === '' ? 'The file' : prefix.slice(0, -1);
      wrong.push(`${where}: ${describe(value)} came; expected an object.`);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      const name = prefix + key;
      if (isSettingName(name)) {
        if (item !== undefined) found.set(name, { place: name, value: item });
      } else if (settingNames.some((known) => known.startsWith(`${name}.`))) walk(item, `${name}.`);
      else if (name !== '$schema') wrong.push(`${name}: there is no such setting${suggest(name, settingNames)}`);
    }
  };
  walk(document, '');
  return found;
}

async function readVariables(
  variables: ReadConfigurationOptions['variables'],
  wrong: string[],
): Promise<Map<SettingName, GivenValue>> {
  const found = new Map<SettingName, GivenValue>();
  for (const name of settingNames) {
    const row: Setting = settings[name];
    for (const variable of [row.variable, row.otherVariable]) {
      if (variable === undefined || found.has(name)) continue;
      // An empty variable counts as absent: that is how a compose file or a unit unsets one.
      const text = nonEmpty(variables[variable]);
      const file = row.secret === true ? nonEmpty(variables[`${variable}_FILE`]) : undefined;
      if (text !== undefined && file !== undefined)
        wrong.push(`${variable}: ${variable}_FILE is set too. Set one of both.`);
      else if (file !== undefined) found.set(name, { place: `${variable}_FILE`, value: { file } });
      else if (text !== undefined) found.set(name, { place: variable, value: parseText(text, row) });
    }
  }
  return found;
}

/** Text that is not what it should be is left as it is: the schema then says so. */
function parseText(text: string, { text: kind }: Setting): unknown {
  switch (kind) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return (
        { true: true, '1': true, yes: true, false: false, '0': false, no: false }[text.trim().toLowerCase()] ?? text
      );
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'json':
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    default:
      return text;
  }
}

/** Content of the file that a secret was given as, its path seen from `folder`; the value itself when it was not. */
async function readSecretFile(
  { place, value }: GivenValue,
  folder: string,
  wrong: string[],
): Promise<GivenValue | undefined> {
  if (!isRecord(value) || Object.keys(value).length !== 1 || typeof value.file !== 'string') return { place, value };
  const file = resolve(folder, value.file);
  try {
    return { place: `${place} (${file})`, value: (await readFile(file, 'utf8')).trim() };
  } catch (error) {
    wrong.push(
      `${place}: the file ${file} cannot be read (${error instanceof Error ? error.message : String(error)}).`,
    );
    return undefined;
  }
}

function explain(row: Setting, { place, value }: GivenValue, error: z.ZodError): readonly string[] {
  return error.issues.map((issue) => {
    const where = [place, ...issue.path.map(String)].join('.');
    if (issue.code === 'unrecognized_keys') {
      const known = namesAt(row.schema, issue.path);
      return issue.keys.map((key) => `${where}.${key}: there is no such name${suggest(key, known)}`).join('\n  ');
    }
    const found = issue.path.reduce<unknown>(
      (part, key) => (isRecord(part) || Array.isArray(part) ? Reflect.get(part, key) : undefined),
      value,
    );
    const came = row.secret === true ? hiddenValue(found) : describe(found);
    // At the top the row says it best; further in, only the schema knows.
    const expected = issue.path.length === 0 ? row.expected : expectationOf(issue);
    const reason =
      issue.path.length === 0 && issue.code === 'custom' && issue.message !== 'Invalid input'
        ? ` (${issue.message})`
        : '';
    return `${where}: ${came} came${reason}; expected ${expected}.`;
  });
}

function tellUnknownVariables(variables: ReadConfigurationOptions['variables'], remarks: string[]): void {
  const known = new Set<string>();
  for (const name of settingNames) {
    const { variable, otherVariable }: Setting = settings[name];
    for (const each of [variable, otherVariable]) if (each !== undefined) known.add(each).add(`${each}_FILE`);
  }
  for (const name of Object.keys(variables)) {
    if (!name.startsWith('STOWAGE_') || known.has(name) || otherVariables.test(name)) continue;
    remarks.push(`The variable ${name} means nothing here${suggest(name, [...known])}`);
  }
}

/** What only several settings together can tell. */
function requireTogether(
  command: SettingCommand,
  values: Settings,
  wrong: string[],
  given: ReadonlyMap<SettingName, GivenValue>,
): void {
  // One that was given and is wrong was told of already.
  const missing = (name: SettingName): boolean => values[name] === undefined && !given.has(name);
  if (command === 'start') {
    if (missing('engine.accessKeyId') !== missing('engine.secretAccessKey')) {
      wrong.push('STOWAGE_ACCESS_KEY_ID and STOWAGE_SECRET_ACCESS_KEY: only one is set. Set both, or neither.');
    }
    return;
  }
  if (missing('s3.bucket')) wrong.push('s3.bucket: nothing came; name the bucket, e.g. by STOWAGE_BUCKET.');
  if (missing('s3.accessKeyId') !== missing('s3.secretAccessKey')) {
    wrong.push(
      's3.accessKeyId, s3.secretAccessKey: only one came. Give both, or neither to have the AWS SDK look for keys.',
    );
  }
  if (!missing('s3.sessionToken') && missing('s3.accessKeyId')) {
    wrong.push('s3.sessionToken: it came without s3.accessKeyId. A token belongs to a key.');
  }
  if (values['s3.probing'] === 'forbidden' && missing('s3.kind')) {
    wrong.push('s3.probing: forbidden came without s3.kind. What may not be tried out must be known.');
  }
  if (/^postgres(ql)?:/.test(values['database.url'] ?? '') && missing('secret')) {
    wrong.push(
      'secret: nothing came. With PostgreSQL it must be given, the same for all instances: STOWAGE_SECRET, made by `openssl rand -hex 32`.',
    );
  }
}

function suggest(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === undefined ? '.' : `; did you mean ${near}?`;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const shown = value instanceof RegExp ? String(value) : (JSON.stringify(value) ?? String(value));
  return shown.length > maxShownCharacters ? `${shown.slice(0, maxShownCharacters)}…` : shown;
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
