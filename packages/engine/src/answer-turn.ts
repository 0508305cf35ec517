// Ends the answers of one turn of the event loop together, once everything that came in with it is dealt with. A write to a
// connection wakes whoever sleeps at its other end. On one machine each such waking cost as much as checking a signature
// (15 µs of a HEAD's 57, 12 of a GET's 64, at 64 connections): together, the first write wakes and the others find it awake.
// A lone answer leaves at the end of its own turn, some microseconds later than at once. Answers that were waited for do
// not take part: those of a commit come together as they are, and holding them gained nothing.

import type { ServerResponse } from 'node:http';

/** Answers held at most, so that the first of a long turn does not wait for all of it: the next one sends them. */
export const maxHeldAnswers = 16;

type Body = string | Uint8Array | undefined;

interface HeldAnswer {
  readonly response: Pick<ServerResponse, 'end'>;
  readonly body: Body;
}

export class AnswerTurn {
  #held: HeldAnswer[] = [];
  readonly #sendAll = (): void => {
    const held = this.#held;
    this.#held = [];
    for (const { response, body } of held) response.end(body);
  };

  /** Ends an answer whose head is written: with this turn, or at once when it is one too many. */
  end(response: HeldAnswer['response'], body: Body): void {
    if (this.#held.length === 0) setImmediate(this.#sendAll);
    this.#held.push({ response, body });
    if (this.#held.length === maxHeldAnswers) this.#sendAll();
  }
}
