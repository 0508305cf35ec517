// Pictures of what our image decoder does not read: the first page of a PDF by pdftoppm (Poppler), a frame of a film by ffmpeg, a HEIC
// photo by heif-convert (libheif), where the system has them. Each runs by itself, without environment and network, on one file in a folder of its own, with limits of time, memory and
// output; its picture is then treated as any image of unknown origin. Where a program is missing such files have no preview.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, createWriteStream } from 'node:fs';
import { access, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import type { FilesLimits } from '../limits.ts';

type Drawing =
  | { readonly drawn: true; readonly picture: Buffer }
  /** No picture will ever come of these bytes. */
  | { readonly drawn: false; readonly reason: string };

export interface PreviewPrograms {
  /** Whether a picture can be drawn of files of this type. */
  draws(contentType: string): boolean;
  /** A PNG or JPEG of the first page, a frame of the first second, or the photo. Throws when the source breaks off. */
  draw(contentType: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Drawing>;
}

type ProgramLimits = Pick<FilesLimits, 'previewTimeMs' | 'previewMemoryBytes'>;

/** Longest edge of what is drawn: enough for every preset. */
const edgePixels = 640;
/** A PNG of so many pixels is not larger than this. */
const maxPictureBytes = 8 * 1024 * 1024;
/** A photo is drawn whole, as JPEG: 100 million pixels are not larger than this. */
const maxPhotoBytes = 64 * 1024 * 1024;

/** Where systems keep programs. The environment is not asked. */
const programFolders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The formats are named, so that a file cannot pass for a playlist that names other files. */
const filmFormats: Readonly<Record<string, string>> = {
  'video/mp4': 'mov',
  'video/quicktime': 'mov',
  'video/webm': 'matroska',
  'video/matroska': 'matroska',
};

const photoTypes: ReadonlySet<string> = new Set(['image/heic', 'image/heif']);

interface Command {
  /** The program's path, and what it is given. */
  readonly words: readonly string[];
  /** Where its picture goes: a file in the folder it runs in, of this name or one that begins so. Default: its output. */
  readonly file?: { readonly stem: string; readonly ending: string };
  readonly maxBytes: number;
}

/** Looks for the programs once. `folders` default to where systems keep them. */
export async function findPreviewPrograms(
  limits: ProgramLimits,
  folders: readonly string[] = programFolders,
): Promise<PreviewPrograms> {
  const [pdftoppm, ffmpeg, heifConvert, prlimit] = await Promise.all(
    ['pdftoppm', 'ffmpeg', 'heif-convert', 'prlimit'].map((name) => findProgram(name, folders)),
  );

  function commandFor(contentType: string, path: string): Command | undefined {
    if (contentType === 'application/pdf' && pdftoppm !== undefined) {
      const page = ['-f', '1', '-l', '1', '-singlefile', '-scale-to', String(edgePixels), '-png'];
      return { words: [pdftoppm, ...page, path], maxBytes: maxPictureBytes };
    }
    if (photoTypes.has(contentType) && heifConvert !== undefined) {
      const file = { stem: 'picture', ending: '.jpg' };
      return { words: [heifConvert, '-q', '85', path, `${file.stem}${file.ending}`], file, maxBytes: maxPhotoBytes };
    }
    const format = filmFormats[contentType];
    if (format === undefined || ffmpeg === undefined) return undefined;
    const scale = `scale=w=${edgePixels}:h=${edgePixels}:force_original_aspect_ratio=decrease`;
    const careful = ['-nostdin', '-v', 'error', '-threads', '1', '-protocol_whitelist', 'file,pipe'];
    const frame = ['-an', '-frames:v', '1', '-vf', scale, '-threads', '1', '-f', 'image2pipe', '-c:v', 'png', '-'];
    return { words: [ffmpeg, ...careful, '-f', format, '-i', path, ...frame], maxBytes: maxPictureBytes };
  }

  /** What the system itself holds the program to, where it can. */
  function limited({ words, file, maxBytes }: Command): readonly string[] {
    if (prlimit === undefined) return words;
    const seconds = Math.ceil(limits.previewTimeMs / 1000);
    const fileBytes = file === undefined ? 0 : maxBytes;
    const held = [`--as=${limits.previewMemoryBytes}`, `--cpu=${seconds}`, '--core=0', `--fsize=${fileBytes}`];
    return [prlimit, ...held, '--', ...words];
  }

  return {
    draws: (contentType) => commandFor(contentType, '') !== undefined,
    draw: async (contentType, source, signal) => {
      const folder = await mkdtemp(join(tmpdir(), 'stowage-preview-'));
      try {
        const path = join(folder, 'source');
        await pipeline(source, createWriteStream(path, { mode: 0o600 }), { signal });
        const command = commandFor(contentType, path);
        if (command === undefined)
          return { drawn: false, reason: `No program is installed that draws ${contentType}.` };
        return await run({ ...command, words: limited(command) }, folder, signal);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function run({ words, file, maxBytes }: Command, folder: string, signal: AbortSignal): Promise<Drawing> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
    windowsHide: true,
    // A group of its own, so that what it starts ends with it.
    detached: hasGroups,
  });
  const end = (): void => {
    endGroup(child);
    child.stdout.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const closed = once(child, 'close');
    // Looked at below; a program that cannot be started says so there.
    closed.catch(() => undefined);
    const output = await readAtMost(child.stdout, maxBytes).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
    if (output === undefined) return { drawn: false, reason: `Its picture has more than ${maxBytes} bytes.` };
    await closed;
    signal.throwIfAborted();
    const picture = file === undefined ? output : await readPicture(folder, file, maxBytes);
    if (picture.length > 0 && child.exitCode === 0) return { drawn: true, picture };
    return { drawn: false, reason: `No picture came of it: code ${child.exitCode}, signal ${child.signalCode}.` };
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** The first picture in the folder; empty where there is none. */
async function readPicture(
  folder: string,
  { stem, ending }: NonNullable<Command['file']>,
  maxBytes: number,
): Promise<Buffer> {
  const names = await readdir(folder);
  const name = names.sort().find((found) => found.startsWith(stem) && found.endsWith(ending));
  if (name === undefined) return Buffer.alloc(0);
  const file = await open(join(folder, name));
  try {
    const { size } = await file.stat();
    return size > maxBytes ? Buffer.alloc(0) : await file.readFile();
  } finally {
    await file.close();
  }
}

/** `undefined` when there is more. */
async function readAtMost(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Windows has no groups; there the program alone is ended. */
const hasGroups = process.platform !== 'win32';

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (hasGroups) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch (error) {
    // It ended by itself just now.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not there: the next folder.
    }
  }
  return undefined;
}
