// Makes previews one at a time in a process of its own (render-previews.ts), under limits of size, pixels, memory and time; of what is
// no image, from what a program draws of it (preview-programs.ts).
// The process is started when it is first needed, kept for a while, and replaced when it has to be ended.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { previewPresets } from '@stowage/contract';
import type { FilesLimits } from '../limits.ts';
import { createFrameReader, frameHeader } from './frames.ts';
import { memoryExitCode, type PreviewAnswer, type PreviewSettings } from './preview-answer.ts';
import type { PreviewPrograms } from './preview-programs.ts';

type PreviewResult =
  | {
      readonly made: true;
      readonly picture: Uint8Array;
      /** Of the source, upright. Absent where it is no image. */
      readonly pixels?: { readonly width: number; readonly height: number };
    }
  /** This image will never have a preview: it is broken, or too much of something. */
  | { readonly made: false; readonly reason: string };

export interface PreviewMaker {
  /**
   * Waits for its turn, opens the source and makes the picture. `undefined` when the source is not there. Throws when the
   * source breaks off or the process ends by itself: another try may succeed.
   */
  make(source: PreviewSource): Promise<PreviewResult | undefined>;
  /** Ends the process, and what it is doing. */
  close(): void;
}

export interface PreviewSource {
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array> | undefined>;
}

export type PreviewLimits = Pick<
  FilesLimits,
  'previewSourceBytes' | 'previewPixels' | 'previewTimeMs' | 'previewMemoryBytes'
>;

export const previewContentType = 'image/webp';

/** A picture of 320 pixels is some 30 KiB; a larger answer than this is nonsense. */
const maxAnswerBytes = 4 * 1024 * 1024;
/** How long the process is kept without work. */
const idleMs = 30_000;

/** Without `programs` previews are made of images alone. */
export function openPreviewMaker(
  limits: PreviewLimits,
  programs?: Pick<PreviewPrograms, 'draws' | 'draw'>,
): PreviewMaker {
  let renderer: Renderer | undefined;
  let idle: NodeJS.Timeout | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;

  function drop(): void {
    renderer?.end();
    renderer = undefined;
  }

  async function run(source: PreviewSource): Promise<PreviewResult | undefined> {
    if (closed) throw new Error('The preview maker is closed.');
    clearTimeout(idle);
    const overtime = AbortSignal.timeout(limits.previewTimeMs);
    renderer ??= startRenderer(limits);
    let sourceIsRead = false;
    try {
      const bytes = await source.open(overtime);
      if (bytes === undefined) return undefined;
      const watched = withEnd(bytes, () => {
        sourceIsRead = true;
      });
      if (programs?.draws(source.contentType) !== true)
        return await renderer.render(watched, source.sizeBytes, overtime);
      const drawing = await programs.draw(source.contentType, watched, overtime);
      if (!drawing.drawn) return { made: false, reason: drawing.reason };
      const { picture } = drawing;
      const result = await renderer.render(alone(picture), picture.length, overtime);
      // The pixels are those that the program was asked for.
      return result.made ? { made: true, picture: result.picture } : result;
    } catch (error) {
      const exitCode = renderer.exitCode();
      drop();
      // A bucket that is slow today says nothing about the image: that is thrown, and tried again.
      if (overtime.aborted && sourceIsRead)
        return { made: false, reason: `It took longer than ${limits.previewTimeMs} ms.` };
      if (exitCode === memoryExitCode) return { made: false, reason: 'It needs more memory than is allowed.' };
      throw error;
    } finally {
      idle = setTimeout(drop, idleMs);
      idle.unref();
    }
  }

  return {
    make: (source) => {
      if (source.sizeBytes > limits.previewSourceBytes) {
        const reason = `The image has ${source.sizeBytes} bytes; previews are made up to ${limits.previewSourceBytes}.`;
        return Promise.resolve({ made: false, reason });
      }
      const result = turn.then(() => run(source));
      // The next one's turn comes whatever became of this one; its own caller hears of the failure.
      turn = result.catch(() => undefined);
      return result;
    },
    close: () => {
      closed = true;
      clearTimeout(idle);
      drop();
    },
  };
}

async function* alone(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

async function* withEnd(source: AsyncIterable<Uint8Array>, onEnd: () => void): AsyncIterable<Uint8Array> {
  yield* source;
  onEnd();
}

interface Renderer {
  render(source: AsyncIterable<Uint8Array>, sizeBytes: number, signal: AbortSignal): Promise<PreviewResult>;
  /** `null` while it runs. */
  exitCode(): number | null;
  end(): void;
}

function startRenderer(limits: PreviewLimits): Renderer {
  const settings: PreviewSettings = {
    edgePixels: previewPresets.thumbnail,
    maxPixels: limits.previewPixels,
    sourceBytes: limits.previewSourceBytes,
    memoryBytes: limits.previewMemoryBytes,
  };
  // The file beside this one, under the ending that this one runs with: published packages hold JavaScript.
  const file = fileURLToPath(new URL(`./render-previews${extname(import.meta.url)}`, import.meta.url));
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    process.execPath,
    [file, JSON.stringify(settings)],
    {
      // No environment: it needs none, and this one may hold keys.
      env: {},
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    },
  );
  const exited = once(child, 'exit').then(() => {
    throw new Error(`The process that makes previews ended with code ${child.exitCode}, signal ${child.signalCode}.`);
  });
  // Both are looked at where a preview waits; without one waiting they are of no interest.
  exited.catch(() => undefined);
  child.stdin.on('error', () => undefined);
  let receive: (frame: Buffer) => void = () => undefined;
  const read = createFrameReader(maxAnswerBytes, (frame) => receive(frame));
  let failed: (error: unknown) => void = () => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      failed(error);
    }
  });

  async function send(source: AsyncIterable<Uint8Array>, sizeBytes: number, signal: AbortSignal): Promise<void> {
    child.stdin.write(frameHeader(sizeBytes));
    let sentBytes = 0;
    for await (const chunk of source) {
      signal.throwIfAborted();
      sentBytes += chunk.byteLength;
      if (sentBytes > sizeBytes) break;
      if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain', { signal }), exited]);
    }
    if (sentBytes !== sizeBytes) throw new Error(`The source gave ${sentBytes} bytes of ${sizeBytes}.`);
  }

  return {
    render: async (source, sizeBytes, signal) => {
      const frames: Buffer[] = [];
      const answered = new Promise<void>((resolve, reject) => {
        failed = reject;
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        receive = (frame) => {
          frames.push(frame);
          if (frames.length === 2) resolve();
        };
      });
      answered.catch(() => undefined);
      await Promise.race([send(source, sizeBytes, signal), answered, exited]);
      await Promise.race([answered, exited]);
      const [text, picture] = frames;
      if (text === undefined || picture === undefined)
        throw new Error('The process that makes previews gave no answer.');
      // It was written by render-previews.ts.
      const answer = JSON.parse(text.toString()) as PreviewAnswer;
      if (!answer.made) return answer;
      return { made: true, picture, pixels: { width: answer.width, height: answer.height } };
    },
    exitCode: () => child.exitCode,
    end: () => {
      child.kill('SIGKILL');
    },
  };
}
