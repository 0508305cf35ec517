// What is known of one bucket at one endpoint, and since when. Kept in the database.

import type { FoundCapabilities } from './capabilities.ts';

export interface EndpointProfile {
  readonly endpoint: string;
  readonly bucket: string;
  /** Of the probes that found it: those of another version are made anew. */
  readonly version: number;
  readonly probedAtMs: number;
  /** `found`: tried out. `assumed`: probing is forbidden, and this is what is known of such endpoints. */
  readonly basis: 'found' | 'assumed';
  readonly capabilities: FoundCapabilities;
}

/** Raised with every change of what a probe asks. */
export const profileVersion = 1;
