// V8's sampling profiler in another process, over the DevTools protocol: only the time between `start` and `stop` is in the
// profile. The process must have been started with `--inspect=127.0.0.1:<port>`.

import type { CpuProfile } from './sample-groups.ts';

const samplingMicroseconds = 250;
const answerTimeoutMs = 60_000;

export class CpuProfiler {
  readonly #socket: WebSocket;
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async connect(port: number): Promise<CpuProfiler> {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
    // Proof of the cast: the list of targets that the protocol describes.
    const [target] = (await answer.json()) as { readonly webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Error(`Nothing to profile at port ${port}.`);
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`The inspector at port ${port} refuses to be connected.`));
    });
    const profiler = new CpuProfiler(socket);
    await profiler.#send('Profiler.enable');
    await profiler.#send('Profiler.setSamplingInterval', { interval: samplingMicroseconds });
    return profiler;
  }

  async start(): Promise<void> {
    await this.#send('Profiler.start');
  }

  async stop(): Promise<CpuProfile> {
    // Proof of the cast: what the protocol answers to it.
    return (await this.#send('Profiler.stop')).profile as CpuProfile;
  }

  close(): void {
    this.#socket.close();
  }

  async #send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`The inspector does not answer ${method}.`)), answerTimeoutMs);
      const take = ({ data }: MessageEvent): void => {
        // Proof of the cast: an answer of the protocol, or an event, which has no id.
        const answer = JSON.parse(String(data)) as { id?: number; result?: Record<string, unknown>; error?: object };
        if (answer.id !== id) return;
        clearTimeout(timer);
        this.#socket.removeEventListener('message', take);
        if (answer.result === undefined) reject(new Error(`${method}: ${JSON.stringify(answer.error)}`));
        else resolve(answer.result);
      };
      this.#socket.addEventListener('message', take);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
