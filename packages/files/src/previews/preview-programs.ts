// Pictures of what no image decoder reads: the first page of a PDF by pdftoppm (Poppler), a frame of a film by ffmpeg, where the system
// has them. Each runs by itself, without environment and network, on one file in a folder of its own, with limits of time, memory and
// output; its picture is then treated as any image of unknown origin. Where a program is missing such files have no preview.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, createWriteStream } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
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
  /** A PNG of the first page, or a frame of the first second. Throws when the source breaks off. */
  draw(contentType: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Drawing>;
}

type ProgramLimits = Pick<FilesLimits, 'previewTimeMs' | 'previewMemoryBytes'>;

/** Longest edge of what is drawn: enough for every preset. */
const edgePixels = 640;
/** A PNG of so many pixels is not larger than this. */
const maxPictureBytes = 8 * 1024 * 1024;

/** Where systems keep programs. The environment is not asked. */
const programFolders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The formats are named, so that a file cannot pass for a playlist that names other files. */
const filmFormats: Readonly<Record<string, string>> = {
  'video/mp4': 'mov',
  'video/quicktime': 'mov',
  'video/webm': 'matroska',
  'video/matroska': 'matroska',
};

/** Looks for the programs once. `folders` default to where systems keep them. */
export async function findPreviewPrograms(
  limits: ProgramLimits,
  folders: readonly string[] = programFolders,
): Promise<PreviewPrograms> {
  const [pdftoppm, ffmpeg, prlimit] = await Promise.all(
    ['pdftoppm', 'ffmpeg', 'prlimit'].map((name) => findProgram(name, folders)),
  );

  function commandFor(contentType: string, path: string): readonly string[] | undefined {
    if (contentType === 'application/pdf' && pdftoppm !== undefined)
      return [pdftoppm, '-f', '1', '-l', '1', '-singlefile', '-scale-to', String(edgePixels), '-png', path];
    const format = filmFormats[contentType];
    if (format === undefined || ffmpeg === undefined) return undefined;
    const scale = `scale=w=${edgePixels}:h=${edgePixels}:force_original_aspect_ratio=decrease`;
    return [
      ...[
        ffmpeg,
        '-nostdin',
        '-v',
        'error',
        '-threads',
        '1',
        '-protocol_whitelist',
        'file,pipe',
        '-f',
        format,
        '-i',
        path,
      ],
      ...['-an', '-frames:v', '1', '-vf', scale, '-threads', '1', '-f', 'image2pipe', '-c:v', 'png', '-'],
    ];
  }

  /** What the system itself holds the program to, where it can. */
  function limited(command: readonly string[]): readonly string[] {
    if (prlimit === undefined) return command;
    const seconds = Math.ceil(limits.previewTimeMs / 1000);
    return [
      prlimit,
      `--as=${limits.previewMemoryBytes}`,
      `--cpu=${seconds}`,
      '--core=0',
      '--fsize=0',
      '--',
      ...command,
    ];
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
        return await run(limited(command), folder, signal);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function run([program = '', ...args]: readonly string[], folder: string, signal: AbortSignal): Promise<Drawing> {
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
    const picture = await readAtMost(child.stdout, maxPictureBytes).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
    if (picture === undefined) return { drawn: false, reason: `Its picture has more than ${maxPictureBytes} bytes.` };
    await closed;
    signal.throwIfAborted();
    if (picture.length > 0 && child.exitCode === 0) return { drawn: true, picture };
    return { drawn: false, reason: `No picture came of it: code ${child.exitCode}, signal ${child.signalCode}.` };
  } finally {
    signal.removeEventListener('abort', end);
    end();
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
