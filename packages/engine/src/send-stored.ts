// Sends an object's bytes: writes one piece, reads the next one while the system takes the first, and waits when the client
// does. The pieces' memory is lent and goes back when the system has taken them. Nothing is copied on the way.

import type { ServerResponse } from 'node:http';
import type { LentBytes } from '@stowage/store';
import type { Exchange } from './exchange.ts';
import type { StoredBytes } from './result.ts';

/** Pieces that a client may have outstanding before no more are read for it. */
const maxPiecesOutstanding = 1;

/**
 * Calls `begin`, which writes the head, once the first piece is there: what goes wrong until then can still be answered
 * properly. Rejects when the bytes cannot be read; resolves when all are sent, or the client has gone.
 */
export async function sendStored(exchange: Exchange, stored: StoredBytes, begin: () => void): Promise<void> {
  const { response } = exchange;
  const outflow = new Outflow(response);
  const pieces = stored.object.pieces(stored.range);
  let next: ReturnType<typeof pieces.next>;
  try {
    next = pieces.next();
    let begun = false;
    while (next !== undefined) {
      const piece: LentBytes = next instanceof Promise ? await next : next;
      next = undefined;
      outflow.take(piece);
      if (!begun) begin();
      begun = true;
      if (response.destroyed) return;
      exchange.sentBytes += piece.bytes.length;
      outflow.write(piece);
      next = pieces.next();
      if (outflow.outstanding > maxPiecesOutstanding) await outflow.atMost(maxPiecesOutstanding);
    }
    response.end();
  } finally {
    giveBackUnsent(next);
    stored.object.close();
  }
}

/** What was read ahead for a client that has gone. */
function giveBackUnsent(next: LentBytes | Promise<LentBytes> | undefined): void {
  if (next instanceof Promise) {
    next.then(
      (piece) => piece.giveBack(),
      () => undefined, // nothing was lent, and nobody is left to be told
    );
  } else next?.giveBack();
}

/** The pieces that the system has not taken yet. */
class Outflow {
  readonly #response: ServerResponse;
  readonly #pieces = new Set<LentBytes>();
  #wakeUp: (() => void) | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    // Of a connection that has gone, not every write is called back.
    response.once('close', () => {
      for (const piece of [...this.#pieces]) this.#taken(piece);
    });
  }

  get outstanding(): number {
    return this.#pieces.size;
  }

  /** From here on the piece is given back, whatever happens. */
  take(piece: LentBytes): void {
    this.#pieces.add(piece);
    if (this.#response.closed) this.#taken(piece);
  }

  write(piece: LentBytes): void {
    this.#response.write(piece.bytes, () => this.#taken(piece));
  }

  /** For one at a time. */
  async atMost(count: number): Promise<void> {
    while (this.#pieces.size > count) {
      await new Promise<void>((resolve) => {
        this.#wakeUp = resolve;
      });
    }
  }

  #taken(piece: LentBytes): void {
    if (!this.#pieces.delete(piece)) return;
    piece.giveBack();
    this.#wakeUp?.();
  }
}
