// The exchanges that are under way. An array in which each knows its place, and not a Set: a Set that is added to and
// deleted from all the time leaves a chain of outgrown tables behind, each of which keeps what was in the next one alive
// until V8 collects its old generation. So every request outlived its answer, and collecting took an eighth of the time.

import type { Exchange } from './exchange.ts';

export class RunningExchanges {
  readonly #exchanges: Exchange[] = [];

  get size(): number {
    return this.#exchanges.length;
  }

  add(exchange: Exchange): void {
    exchange.place = this.#exchanges.length;
    this.#exchanges.push(exchange);
  }

  /** Takes it out; one that is not there, or no longer, is left alone. The last one takes its place. */
  delete(exchange: Exchange): void {
    if (this.#exchanges[exchange.place] !== exchange) return;
    const last = this.#exchanges.pop();
    if (last === undefined || last === exchange) return;
    this.#exchanges[exchange.place] = last;
    last.place = exchange.place;
  }

  /** All of them, in no order. What is called may take out the one it is called with, and no other. */
  forEach(visit: (exchange: Exchange) => void): void {
    // From the end: the one that takes a place has been visited.
    for (let place = this.#exchanges.length - 1; place >= 0; place -= 1) {
      const exchange = this.#exchanges[place];
      if (exchange !== undefined) visit(exchange);
    }
  }

  find(matches: (exchange: Exchange) => boolean): Exchange | undefined {
    return this.#exchanges.find(matches);
  }
}
