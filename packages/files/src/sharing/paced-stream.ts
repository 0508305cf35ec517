// A stream whose reader has to keep up: who takes less than so many bytes a second is cut off. Only the time in which the reader is
// waited for counts, not that in which the source makes the next bytes. Nothing is read ahead of the reader.

interface PacedOptions {
  readonly minBytesPerSecond: number;
  /** For how long the reader may be slower than that. */
  readonly slowMs: number;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Told once: that it was read to its end, cancelled, broken off or cut off. */
  readonly onEnd: (how: 'read' | 'ended' | 'too-slow') => void;
}

export function paceStream(source: ReadableStream<Uint8Array>, options: PacedOptions): ReadableStream<Uint8Array> {
  const { minBytesPerSecond, slowMs, now, onEnd } = options;
  const reader = source.getReader();
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  /** Since when the reader is waited for; and how long it was, and what it took, since it last was fast enough. */
  let waitingSinceMs = 0;
  let waitedMs = 0;
  let takenBytes = 0;

  function end(how: 'read' | 'ended' | 'too-slow'): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    onEnd(how);
  }

  function judge(cut: () => void): void {
    const nowMs = now();
    waitedMs += nowMs - waitingSinceMs;
    waitingSinceMs = nowMs;
    if (waitedMs >= slowMs) {
      if (takenBytes * 1000 < minBytesPerSecond * waitedMs) {
        cut();
        return;
      }
      waitedMs = 0;
      takenBytes = 0;
    }
    waitForReader(cut);
  }

  function waitForReader(cut: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(() => judge(cut), Math.max(1, slowMs - waitedMs));
    timer.unref();
  }

  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        waitingSinceMs = now();
        waitForReader(() => tooSlow(controller));
      },
      pull: async (controller) => {
        clearTimeout(timer);
        waitedMs += now() - waitingSinceMs;
        try {
          const { done, value } = await reader.read();
          if (isOver) return;
          if (done) {
            controller.close();
            end('read');
            return;
          }
          controller.enqueue(value);
          takenBytes += value.byteLength;
          waitingSinceMs = now();
          waitForReader(() => tooSlow(controller));
        } catch (error) {
          if (isOver) return;
          controller.error(error);
          end('ended');
        }
      },
      cancel: (reason) => {
        end('ended');
        return letGo(reason ?? new Error('Nobody reads any more.'));
      },
    },
    { highWaterMark: 0 },
  );

  function tooSlow(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const error = new Error(
      `Less than ${minBytesPerSecond} bytes a second were taken for ${slowMs} ms: it is cut off, so that others get their turn.`,
    );
    controller.error(error);
    end('too-slow');
    void letGo(error);
  }

  /** A source that is told why it ends may throw just that: nobody is left to hear of it. */
  function letGo(reason: unknown): Promise<void> {
    return reader.cancel(reason).catch(() => undefined);
  }
}
