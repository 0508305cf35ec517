// What the main thread and a worker of the engine say to each other. Writes travel on a way of their own, between the two
// halves of the store (StoreInvitation).

import type { StoreInvitation } from '@stowage/store';
import type { LogFields } from '../log.ts';
import type { EngineState, MetricCounts } from '../metrics.ts';
import type { ServingSettings } from '../serving.ts';

/** What a worker is started with. */
export interface WorkerOrders {
  readonly invitation: StoreInvitation;
  readonly settings: ServingSettings;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Where compiled code is kept between runs; absent: nowhere. */
  readonly compileCache: string | undefined;
  /** Absent: nobody listens to what it says. */
  readonly logRequests: 'all' | 'failed' | undefined;
}

/** To a worker. */
export type WorkerCommand =
  /** Say what you have counted. */
  | { readonly kind: 'count'; readonly ticket: number }
  /** The answer to `overview`. */
  | { readonly kind: 'overview'; readonly ticket: number; readonly state: EngineState; readonly counts: MetricCounts }
  /** Let running requests finish, then end. */
  | { readonly kind: 'close' };

/** From a worker. */
export type WorkerReport =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'notListening'; readonly message: string; readonly code: string | undefined }
  | {
      readonly kind: 'counts';
      readonly ticket: number;
      readonly counts: MetricCounts;
      readonly runningRequests: number;
    }
  /** A client asks what the whole engine has counted, and how it is. */
  | { readonly kind: 'overview'; readonly ticket: number }
  | { readonly kind: 'log'; readonly lines: readonly LogLine[] };

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}
