// What waits to be done: jobs of files, and deliveries of webhooks. Both are taken for a while, and by nobody else meanwhile.

import type { AuditNote } from '../accounts/audit-note.ts';
import type { Job, NewJob } from '../lifecycle/job.ts';
import type { DeliveryRecord, WebhookRecord } from '../webhooks/webhook-record.ts';
import type { TenantId } from './tenant-id.ts';

export interface LeaseOptions {
  readonly nowMs: number;
  /** How long what is taken is nobody else's. */
  readonly leaseMs: number;
  readonly limit: number;
}

interface RetryOptions {
  readonly dueAtMs: number;
  /** Kept with the job. */
  readonly error: string;
  /** What counts as tried from now on. Default: this try, too. */
  readonly tries?: number;
}

export interface Outbox {
  /** Writes a job without a change of its file. One of the same kind that waits already is enough. */
  add(fileId: string, job: NewJob): Promise<void>;
  /** Takes jobs that are due; nobody else gets them before `leaseMs` have passed. */
  take(options: LeaseOptions): Promise<readonly Job[]>;
  /** Keeps jobs that run for `leaseMs` more. Answers the ids of those that are still held; the others are somebody else's. */
  renew(jobs: readonly Job[], options: Pick<LeaseOptions, 'nowMs' | 'leaseMs'>): Promise<ReadonlySet<string>>;
  /** Strikes a job off. `false`, and nothing is written, when the lease was lost and another has taken it. */
  done(job: Job): Promise<boolean>;
  /** Strikes off a job that no try brought to its end, and writes that into the audit log. `false` as for `done`. */
  giveUp(job: Job, note: AuditNote): Promise<boolean>;
  /** Puts a job back, to be done later. `false` as for `done`. */
  retry(job: Job, how: RetryOptions): Promise<boolean>;
  /** Gives every job back that was taken and not struck off: what a process that ended left behind. */
  release(): Promise<void>;
  /** Gives jobs back that were taken and not begun: whoever asks next gets them, and the try is not counted. */
  giveBack(jobs: readonly Job[]): Promise<void>;
  /** Jobs that are due and not struck off, and for how long the oldest has been. */
  backlog(nowMs: number): Promise<{ readonly due: number; readonly lagMs: number }>;
  /** Jobs waiting, whether due or not. */
  count(): Promise<number>;
}

export interface WebhookTable {
  add(webhook: WebhookRecord, note: AuditNote): Promise<void>;
  list(tenantId: string): Promise<readonly WebhookRecord[]>;
  get(webhook: TenantId): Promise<WebhookRecord | undefined>;
  /**
   * Writes these changes and no other column, and answers the new row; `undefined`, and nothing is written, when there is none, or its
   * secret is no longer the one of `ifSecret`.
   */
  change(
    webhook: TenantId & { readonly ifSecret?: string },
    changes: Partial<Omit<WebhookRecord, 'id' | 'tenantId' | 'createdAtMs'>>,
    note: AuditNote,
  ): Promise<WebhookRecord | undefined>;
  /** Forgets deliveries of a webhook, whatever their states, at most `limit`. Answers how many. */
  removeDeliveries(webhook: TenantId, limit: number): Promise<number>;
  /** With what there still is of its deliveries. Whether there was one. */
  remove(webhook: TenantId, note: AuditNote): Promise<boolean>;
  addDelivery(delivery: DeliveryRecord): Promise<void>;
  getDelivery(delivery: TenantId & { readonly webhookId: string }): Promise<DeliveryRecord | undefined>;
  /** The newest first. */
  listDeliveries(page: {
    readonly tenantId: string;
    readonly webhookId: string;
    readonly limit: number;
    readonly beforeId?: string | undefined;
  }): Promise<readonly DeliveryRecord[]>;
  /** Deliveries that are due to webhooks that are enabled, the longest due first; but for those to some webhooks. Takes nothing. */
  listDue(options: {
    readonly nowMs: number;
    readonly limit: number;
    readonly except: readonly string[];
  }): Promise<readonly DueDelivery[]>;
  /** Takes those of some deliveries that are still due and counts the try; nobody else gets them before `leaseMs` have passed. */
  take(ids: readonly string[], options: Pick<LeaseOptions, 'nowMs' | 'leaseMs'>): Promise<readonly DeliveryRecord[]>;
  /** Gives deliveries back that were taken: they are due at once, and the try is not counted. */
  giveBack(deliveries: readonly DeliveryRecord[], nowMs: number): Promise<void>;
  /** What became of a try. Nothing is written when another has taken it meanwhile. */
  settle(
    delivery: DeliveryRecord,
    outcome: Pick<DeliveryRecord, 'state' | 'dueAtMs' | 'deliveredAtMs' | 'lastAnswer'>,
  ): Promise<void>;
  /** Makes dead letters of what waits for webhooks that are disabled, at most `limit`. Answers how many. */
  endDisabled(limit: number): Promise<number>;
  /** Unless it leads elsewhere by now. */
  disable(webhook: Pick<WebhookRecord, 'tenantId' | 'id' | 'url'>, reason: string): Promise<void>;
  /** How many deliveries are kept in each state, of all tenants. */
  countDeliveries(): Promise<readonly { readonly state: DeliveryRecord['state']; readonly count: number }[]>;
  /** Forgets deliveries that were settled before, at most `limit`. Answers how many. */
  removeSettled(beforeMs: number, limit: number): Promise<number>;
}

/** What has to be known of a delivery to choose it. */
export type DueDelivery = Pick<DeliveryRecord, 'id' | 'tenantId' | 'webhookId'> & Pick<WebhookRecord, 'url'>;
