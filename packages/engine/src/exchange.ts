// One request and its answer while they are under way: the one place that holds node's own objects. The pipeline fills it
// in as it learns more; render.ts answers it; the server sweeps it for clients that have stopped reading or writing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerTurn } from './answer-turn.ts';
import type { IncomingBody } from './incoming-body.ts';

export class Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** `x-amz-request-id`: what a log line and a client's error have in common. */
  readonly id: string;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  readonly startedAt: number;
  /** `http://host:port` as the client addressed it. */
  readonly origin: string;
  /** For the log and the metrics. */
  operation = 'none';
  /** Account that signed it, once that is known. */
  account = '';
  errorCode = '';
  sentBytes = 0;
  body: IncomingBody | undefined;
  /** Kept by the RunningExchanges that it is among. */
  place = -1;

  /** The one whose answers it goes with. */
  #turn: AnswerTurn | undefined;

  // What the last sweep saw, so that the hot path has no clock to read.
  #seenReceivedBytes = -1;
  #seenSentBytes = -1;
  #seenAt: number;
  /** Since when the client is being waited for, and what it had taken by then. */
  #slowSince: { readonly beganMs: number; readonly takenBytes: number } | undefined;

  constructor(options: {
    readonly message: IncomingMessage;
    readonly response: ServerResponse;
    readonly id: string;
    readonly expectsContinue: boolean;
    readonly startedAt: number;
    readonly origin: string;
    readonly turn: AnswerTurn;
  }) {
    this.message = options.message;
    this.response = options.response;
    this.id = options.id;
    this.expectsContinue = options.expectsContinue;
    this.startedAt = options.startedAt;
    this.origin = options.origin;
    this.#turn = options.turn;
    this.#seenAt = options.startedAt;
  }

  /** Its handler waits for something: the answer belongs to a later turn, and leaves at once when it is there. */
  leaveTurn(): void {
    this.#turn = undefined;
  }

  /** Ends the answer, whose head is written, with its last bytes: together with the others of its turn. */
  end(body: string | Uint8Array | undefined): void {
    if (this.#turn === undefined) this.response.end(body);
    else this.#turn.end(this.response, body);
  }

  /** For how long nothing has moved, at this sweep's precision. `now` is of the same clock as `startedAt`. */
  idleMs(now: number): number {
    const received = this.body?.receivedBytes ?? 0;
    const sent = this.response.socket?.bytesWritten ?? 0;
    const held = this.body?.begun && !this.body.reading && !this.response.headersSent;
    if (held || received !== this.#seenReceivedBytes || sent !== this.#seenSentBytes) {
      this.#seenReceivedBytes = received;
      this.#seenSentBytes = sent;
      this.#seenAt = now;
    }
    return now - this.#seenAt;
  }

  /** The path as sent, without the query: that may hold a signature. */
  get path(): string {
    const url = this.message.url ?? '';
    const question = url.indexOf('?');
    return question === -1 ? url : url.slice(0, question);
  }

  /** Whether the client is not taking what was written to it. */
  get writing(): boolean {
    return this.response.headersSent && this.response.writableLength > 0;
  }

  /** Whether it took less than it must over a whole window in which it was waited for. To be asked at every sweep. */
  takesTooLittle(nowMs: number, rate: { readonly minBytesPerSecond: number; readonly windowMs: number }): boolean {
    const takenBytes = this.response.socket?.bytesWritten ?? 0;
    if (!this.writing) this.#slowSince = undefined;
    else if (this.#slowSince === undefined) this.#slowSince = { beganMs: nowMs, takenBytes };
    if (this.#slowSince === undefined) return false;
    const elapsedMs = nowMs - this.#slowSince.beganMs;
    if (elapsedMs < rate.windowMs) return false;
    const windowBytes = takenBytes - this.#slowSince.takenBytes;
    this.#slowSince = { beganMs: nowMs, takenBytes };
    return windowBytes < (rate.minBytesPerSecond * elapsedMs) / 1000;
  }

  /** Bytes of the body as announced that have not come yet; `undefined` when their number is not known. */
  get outstandingBytes(): number | undefined {
    const message = this.message;
    if (message.complete) return 0;
    if (message.headers['transfer-encoding'] !== undefined) return undefined;
    const announced = message.headers['content-length'];
    return announced === undefined ? 0 : Number(announced) - (this.body?.receivedBytes ?? 0);
  }
}
