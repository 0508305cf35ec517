// The configuration file: JSON, or a module (.ts, .mts, .js, .mjs) whose default export is the same thing, which Node runs as it is.
// It is named by --config or STOWAGE_CONFIG; nothing is looked for by itself.

import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError } from '../command-error.ts';
import { errorCode } from '../durable-file.ts';

const maxFileBytes = 1024 * 1024;
const moduleEndings = ['.ts', '.mts', '.js', '.mjs'];

/** What the file holds, unchecked. @throws CommandError `usage` when it cannot be read. */
export async function readConfigurationFile(path: string): Promise<unknown> {
  const file = resolve(path);
  const ending = extname(file);
  try {
    if (moduleEndings.includes(ending)) return await importDefault(file);
    if (ending !== '.json')
      throw new Error(`its name ends in "${ending}"; .json, ${moduleEndings.join(', ')} can be read`);
    const text = await readFile(file, 'utf8');
    if (text.length > maxFileBytes) throw new Error(`it has more than ${maxFileBytes} bytes`);
    return JSON.parse(text);
  } catch (cause) {
    const missing = errorCode(cause) === 'ENOENT' || errorCode(cause) === 'ERR_MODULE_NOT_FOUND';
    const reason = cause instanceof Error ? cause.message : String(cause);
    const why = missing && !reason.includes('imported from') ? 'there is no such file' : reason;
    throw new CommandError('usage', `The configuration file ${file} cannot be read: ${why}.`, { cause });
  }
}

async function importDefault(file: string): Promise<unknown> {
  const module: unknown = await import(pathToFileURL(file).href);
  if (typeof module === 'object' && module !== null && 'default' in module) return module.default;
  throw new Error('it has no default export; write `export default {…}`');
}
