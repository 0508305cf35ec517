// Small files that must be whole or absent, whatever crashes: the bytes are flushed under another name, the name is given
// in one step, and the folder is flushed so that the name survives power loss too.

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';

/**
 * Makes a file that was not there, readable by its owner alone. Answers false, and changes nothing, when it exists: of two
 * processes that start at once one wins, and the other reads what it wrote.
 */
export async function createFileDurably(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
  await flushFolder(dirname(path));
  return true;
}

/** Makes a folder and the missing ones above it, each of them durable in its parent. */
export async function makeFolderDurably(path: string): Promise<void> {
  const parent = dirname(path);
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    // Level by level: the recursive mkdir of Node 24 never ends where the system lets nothing be made, such as below /proc.
    if (errorCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeFolderDurably(parent);
    await mkdir(path, { mode: 0o700 });
  }
  await flushFolder(parent);
}

async function flushFolder(path: string): Promise<void> {
  // Windows cannot open a folder to flush it; its file systems journal the names themselves.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The system's name for what went wrong, such as `ENOENT`. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
