// The options of a script that npm runs. Its header comment is its help: `--help` prints it, and what is not understood points there.

import { readFileSync } from 'node:fs';
import process from 'node:process';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

type ScriptOption =
  | { readonly type: 'boolean' }
  | { readonly type: 'string'; readonly default?: string; readonly short?: string }
  | { readonly type: 'strings' }
  /** A whole number, 0 or above. */
  | { readonly type: 'number'; readonly default?: number };

type ScriptOptions = Readonly<Record<string, ScriptOption>>;

interface ValueOf {
  readonly boolean: boolean;
  readonly string: string;
  readonly strings: readonly string[];
  readonly number: number;
}

type Optional<Option extends ScriptOption> = Option['type'] extends 'boolean' | 'strings'
  ? never
  : Option extends { readonly default: string | number }
    ? never
    : undefined;

type ScriptValues<Options extends ScriptOptions> = {
  readonly [Name in keyof Options]: ValueOf[Options[Name]['type']] | Optional<Options[Name]>;
};

interface Given<Options extends ScriptOptions> {
  readonly values: ScriptValues<Options>;
  readonly positionals: readonly string[];
}

/** What the command line says. Ends the process after `--help` (0), and for what it does not understand (2). */
export function readOptions<const Options extends ScriptOptions>(
  script: ImportMeta,
  options: Options,
  {
    allowPositionals = false,
    args = process.argv.slice(2),
  }: { allowPositionals?: boolean; args?: readonly string[] } = {},
): Given<Options> {
  try {
    const { values, positionals } = parseArgs({ options: configOf(options), allowPositionals, args: [...args] });
    if (values.help === true) {
      console.log(headerOf(script));
      process.exit(0);
    }
    const read = Object.entries(options).map(([name, option]) => [name, readValue(name, option, values[name])]);
    // Each name has the value that its option's type says: readValue made it so.
    return { values: Object.fromEntries(read) as ScriptValues<Options>, positionals };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${headerOf(script)}`);
    process.exit(2);
  }
}

function configOf(options: ScriptOptions): ParseArgsOptionsConfig {
  const config: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, option] of Object.entries(options)) {
    const { type } = option;
    config[name] = {
      type: type === 'boolean' ? 'boolean' : 'string',
      multiple: type === 'strings',
      ...('short' in option && option.short !== undefined ? { short: option.short } : {}),
    };
  }
  return config;
}

function readValue(name: string, option: ScriptOption, given: unknown): unknown {
  switch (option.type) {
    case 'boolean':
      return given ?? false;
    case 'strings':
      return given ?? [];
    case 'string':
      return given ?? option.default;
    case 'number': {
      if (given === undefined) return option.default;
      if (!/^\d{1,15}$/.test(String(given))) throw new Error(`--${name} takes a whole number; got ${String(given)}.`);
      return Number(given);
    }
  }
}

/** The first comment of the script, without its slashes. */
function headerOf({ filename }: ImportMeta): string {
  const lines = readFileSync(filename, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n');
}
