// What waits to be done: jobs of files, and deliveries of webhooks. Both are taken for a while, and by nobody else meanwhile.

import type { AuditNote } from '../accounts/audit-note.ts';
import type { Job, NewJob } from '../lifecycle/job.ts';
import type { DeliveryRecord, WebhookRecord } from '../webhooks/webhook-record.ts';
import type { TenantId } from './tenant-id.ts';

export interface LeaseOptions {
  readonly nowMs: number;
  /** How long what is taken is nobody else's. */
  readonly leaseMs: number;
}

/** Something that waits, and in whose queue. */
export interface Waiting {
  readonly id: string;
  /** Whose: the tenant's; of deliveries, the webhook's. */
  readonly queueId: string;
  readonly dueAtMs: number;
}

export interface QueueHeadsOptions {
  readonly nowMs: number;
  /** Queues behind this one; '' is before all. */
  readonly afterQueueId: string;
  /** Queues that are looked at, whether anything in them is due or not. */
  readonly limit: number;
}

/** What waits to be taken, to be chosen from. Looking takes nothing. */
export interface WaitingList<Item extends Waiting = Waiting> {
  /** What is due, the longest due first; whether `limit` left anything out. */
  listDue(options: { readonly nowMs: number; readonly limit: number }): Promise<WaitingPage<Item>>;
  /** The first that is due of each of some queues: how much waits in one makes no difference to the others. */
  listHeads(options: QueueHeadsOptions): Promise<QueuePage<Item>>;
}

interface WaitingPage<Item> {
  readonly items: readonly Item[];
  readonly isWhole: boolean;
}

interface QueuePage<Item> {
  readonly items: readonly Item[];
  /** The last queue that was looked at; `undefined` when there is none behind it. */
  readonly lastQueueId: string | undefined;
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
  /** Jobs that wait: the previews, or all but these. A tenant's are a queue. */
  waiting(kind: 'job' | 'preview'): WaitingList;
  /** Takes those of some jobs that are still due and nobody's; nobody else gets them before `leaseMs` have passed. */
  take(ids: readonly string[], options: LeaseOptions): Promise<readonly Job[]>;
  /** Keeps jobs that run for `leaseMs` more. Answers the ids of those that are still held; the others are somebody else's. */
  renew(jobs: readonly Job[], options: LeaseOptions): Promise<ReadonlySet<string>>;
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
  /** `false`, and nothing is written, when the tenant has `atMost` already. */
  add(webhook: WebhookRecord, note: AuditNote, atMost: number): Promise<boolean>;
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
  /** `false`, and nothing is written, when its webhook is gone. */
  addDelivery(delivery: DeliveryRecord): Promise<boolean>;
  getDelivery(delivery: TenantId & { readonly webhookId: string }): Promise<DeliveryRecord | undefined>;
  /** The newest first. */
  listDeliveries(page: {
    readonly tenantId: string;
    readonly webhookId: string;
    readonly limit: number;
    readonly beforeId?: string | undefined;
  }): Promise<readonly DeliveryRecord[]>;
  /** Deliveries that wait for webhooks that are enabled. A webhook's are a queue. */
  readonly waiting: WaitingList<DueDelivery>;
  /** Takes those of some deliveries that are still due and counts the try; nobody else gets them before `leaseMs` have passed. */
  take(ids: readonly string[], options: LeaseOptions): Promise<readonly DeliveryRecord[]>;
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
export type DueDelivery = Waiting & Pick<WebhookRecord, 'tenantId' | 'url'>;
