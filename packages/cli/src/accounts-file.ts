// The file of `--accounts`: who may sign requests, with which keys. All of its errors are reported at once, each with its
// place in the file. Spec: design §2, `{"accounts":[{"id","displayName","email","root","accessKeyId","secretAccessKey"}]}`.

import { readFile } from 'node:fs/promises';
import type { Account } from '@stowage/engine';
import { CommandError } from './command-error.ts';
import { errorCode } from './durable-file.ts';

const maxFileBytes = 16 * 1024 * 1024;
const maxAccounts = 10_000;
const maxTextLength = 256;
const maxReported = 20;

/** @throws CommandError `usage` with a line for everything that is wrong. */
export async function readAccounts(path: string): Promise<readonly Account[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const why = errorCode(error) === 'ENOENT' ? 'there is no such file' : String(error);
    throw new CommandError('usage', `The accounts file ${path} cannot be read: ${why}.`, { cause: error });
  }
  const wrong: string[] = [];
  const accounts = text.length > maxFileBytes ? [] : parseAccounts(text, wrong);
  if (text.length > maxFileBytes) wrong.push(`it is larger than ${maxFileBytes} bytes`);
  if (wrong.length === 0) return accounts;
  const shown = wrong.slice(0, maxReported);
  if (wrong.length > shown.length) shown.push(`… and ${wrong.length - shown.length} more`);
  throw new CommandError(
    'usage',
    `The accounts file ${path} cannot be used:\n${shown.map((line) => `  ${line}`).join('\n')}\n` +
      'Expected: {"accounts": [{"id", "displayName", "email"?, "root"?, "accessKeyId", "secretAccessKey"}, …]}',
  );
}

/** The accounts of a file's text; what is wrong is added to `wrong`. */
function parseAccounts(text: string, wrong: string[]): readonly Account[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    wrong.push(`it is not JSON (${error instanceof Error ? error.message : String(error)})`);
    return [];
  }
  const list = isRecord(document) ? document.accounts : undefined;
  if (!Array.isArray(list) || list.length === 0 || list.length > maxAccounts) {
    wrong.push(`accounts: expected a list of 1 to ${maxAccounts} accounts`);
    return [];
  }
  const accounts: Account[] = [];
  const placeOfKey = new Map<string, string>();
  for (const [index, entry] of list.entries()) {
    const place = `accounts[${index}]`;
    const account = parseAccount(entry, place, wrong);
    if (account === undefined) continue;
    const other = placeOfKey.get(account.accessKeyId);
    if (other !== undefined) wrong.push(`${place}.accessKeyId: ${account.accessKeyId} is ${other}'s already`);
    placeOfKey.set(account.accessKeyId, place);
    accounts.push(account);
  }
  return accounts;
}

const accountFields = ['id', 'displayName', 'email', 'root', 'accessKeyId', 'secretAccessKey'];

function parseAccount(entry: unknown, place: string, wrong: string[]): Account | undefined {
  if (!isRecord(entry)) {
    wrong.push(`${place}: expected an object, found ${JSON.stringify(entry)}`);
    return undefined;
  }
  const before = wrong.length;
  const read = (name: string): string => {
    const value = entry[name];
    if (typeof value === 'string' && value !== '' && value.length <= maxTextLength) return value;
    // The value itself is not repeated: it may be a secret.
    wrong.push(`${place}.${name}: expected text of 1 to ${maxTextLength} characters, found ${kindOf(value)}`);
    return '';
  };
  const account = {
    id: read('id'),
    displayName: read('displayName'),
    ...(entry.email === undefined ? {} : { email: read('email') }),
    root: entry.root === true,
    accessKeyId: read('accessKeyId'),
    secretAccessKey: read('secretAccessKey'),
  };
  if (entry.root !== undefined && typeof entry.root !== 'boolean') {
    wrong.push(`${place}.root: expected true or false, found ${kindOf(entry.root)}`);
  }
  for (const name of Object.keys(entry)) {
    if (!accountFields.includes(name)) wrong.push(`${place}.${name}: unknown; known are ${accountFields.join(', ')}`);
  }
  return wrong.length === before ? account : undefined;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === '') return 'empty text';
  if (value === null) return 'null';
  return typeof value === 'string' ? `${value.length} characters` : `a ${typeof value}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
