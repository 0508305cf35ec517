// What the process that is to die is told, and tells.

import type { FileServiceOptions } from '@stowage/files';

/** Where the process ends itself: before or behind one await, at one of the times it comes there. */
export interface Armed {
  readonly failpoint: string;
  readonly place: 'before' | 'after';
  /** The first is 1. */
  readonly time: number;
}

/** Options of the service that can be sent to another process, or are made there. */
export interface LifeOptions
  extends Pick<
    FileServiceOptions,
    | 's3'
    | 'endpoint'
    | 'eventsIn'
    | 'database'
    | 'limits'
    | 'policies'
    | 'clamd'
    | 'allowPrivateWebhooks'
    | 'issuers'
    | 'auditDownloads'
    | 'publicUrl'
    | 'allowedOrigins'
  > {
  readonly secretHex: string;
}

/** How often each failpoint was reached. */
export type Hits = Readonly<Record<string, number>>;

/** What a service answers beside requests. */
export type Deed = 'tick' | 'issueSignInToken' | 'prepared' | 'probeEndpoint' | 'close' | 'hits';

export type Order =
  | { readonly order: 'start'; readonly options: LifeOptions; readonly offsetMs: number; readonly armed?: Armed }
  | { readonly order: 'clock'; readonly offsetMs: number }
  | { readonly order: 'do'; readonly id: number; readonly deed: Deed };

export type Report =
  | { readonly report: 'loaded' }
  | { readonly report: 'started'; readonly url: string }
  | { readonly report: 'done'; readonly id: number; readonly answer: unknown }
  | { readonly report: 'failed'; readonly id: number | undefined; readonly message: string };
