// Latencies as counts in buckets that grow by 2 %: small enough to send between processes, exact enough for a p99.

const growth = Math.log(1.02);
const smallestMs = 0.001;

export class LatencyHistogram {
  readonly #counts = new Map<number, number>();
  #total = 0;

  add(milliseconds: number): void {
    this.#count(Math.max(0, Math.round(Math.log(milliseconds / smallestMs) / growth)), 1);
  }

  merge(counts: readonly (readonly [bucket: number, count: number])[]): void {
    for (const [bucket, count] of counts) this.#count(bucket, count);
  }

  /** The latency that `share` of all requests stayed within; 0 without any. */
  quantileMs(share: number): number {
    let left = Math.ceil(this.#total * share);
    for (const [bucket, count] of this.counts()) {
      left -= count;
      if (left <= 0) return smallestMs * Math.exp(bucket * growth);
    }
    return 0;
  }

  /** Ascending. */
  counts(): readonly (readonly [bucket: number, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }

  #count(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#total += count;
  }
}
