// What judges the bytes of a file for malware.

export type ScanVerdict =
  | { readonly verdict: 'clean' }
  /** `signature`: what the scanner calls what it found. */
  | { readonly verdict: 'infected'; readonly signature: string }
  /** The scanner cannot judge these bytes, now or later: too many of them, say. */
  | { readonly verdict: 'unscannable'; readonly reason: string };

export interface Scanner {
  /** Files that are judged at the same time: further ones wait for their turn. */
  readonly atOnce: number;
  /** What judges, for the row: `clamd ClamAV 1.4.6/27000`. Throws when the scanner is away. */
  describe(): Promise<string>;
  /** Waits for its turn, then reads the bytes to their end. Throws when the scanner is away or does not answer in time: to be tried again. */
  scan(open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array> | undefined>): Promise<ScanVerdict | 'gone'>;
  close(): void;
}
