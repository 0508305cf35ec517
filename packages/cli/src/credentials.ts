// The root account's key: from the environment, else made once and kept in `<data>/credentials.json`, readable by its
// owner alone. The file is never changed by us: who wants another key deletes it, or sets the environment. The file
// service's secret is kept in the same way.

import { randomBytes } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';
import { createFileDurably, errorCode } from './durable-file.ts';

export interface RootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The file that holds it, or `environment`. */
  readonly source: string;
}

const serviceSecretBytes = 32;
const accessKeyLength = 20;
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** @throws CommandError `data` when the file is there and holds no key. */
export async function loadRootKey(options: {
  readonly dataFolder: string;
  readonly given: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}): Promise<RootKey> {
  if (options.given !== undefined) return { ...options.given, source: 'environment' };
  const path = join(options.dataFolder, 'credentials.json');
  const kept = await readKey(path);
  if (kept !== undefined) return kept;
  await createFileDurably(path, `${JSON.stringify(newKey(), undefined, 2)}\n`);
  // Read back rather than returned: another process may have been first.
  const made = await readKey(path);
  if (made === undefined) throw new CommandError('data', `${path} was written and is gone again. Start once more.`);
  return made;
}

/** The file service's secret, made once: its object keys carry a MAC made with it, so losing it makes them foreign. */
export async function loadServiceSecret(
  folder: string,
  database: string = join(folder, 'files.sqlite'),
): Promise<Uint8Array> {
  const path = join(folder, 'secret.key');
  const isNew = !(await exists(database));
  if (isNew) await createFileDurably(path, `${randomBytes(serviceSecretBytes).toString('hex')}\n`);
  else if (!(await exists(path))) {
    throw new CommandError(
      'data',
      `${path} is gone, but the database beside it is not. A new secret would make every stored file foreign: ` +
        'restore the file from a backup.',
    );
  }
  const text = (await readFile(path, 'utf8')).trim();
  if (/^[0-9a-f]+$/.test(text) && text.length === serviceSecretBytes * 2) return Buffer.from(text, 'hex');
  throw new CommandError('data', `${path} does not hold ${serviceSecretBytes} bytes in hex. Restore it from a backup.`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** As AWS forms them: 20 characters of base32, and 30 random bytes in 40 characters; without `/` and `+`, easier to paste. */
function newKey(): { readonly accessKeyId: string; readonly secretAccessKey: string } {
  let accessKeyId = 'STOW';
  for (const byte of randomBytes(accessKeyLength - accessKeyId.length)) accessKeyId += base32[byte % base32.length];
  return { accessKeyId, secretAccessKey: randomBytes(30).toString('base64url') };
}

async function readKey(path: string): Promise<RootKey | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const key = parseKey(text);
  if (key !== undefined) return { ...key, source: path };
  throw new CommandError(
    'data',
    `${path} does not hold {"accessKeyId": "…", "secretAccessKey": "…"}. ` +
      'Restore it, or delete it to have a new key made (clients need the new one then).',
  );
}

function parseKey(text: string): { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // The caller says what the file should hold.
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('accessKeyId' in value) || typeof value.accessKeyId !== 'string' || value.accessKeyId === '') return undefined;
  if (!('secretAccessKey' in value) || typeof value.secretAccessKey !== 'string') return undefined;
  if (value.secretAccessKey === '') return undefined;
  return { accessKeyId: value.accessKeyId, secretAccessKey: value.secretAccessKey };
}
