// Webhooks: where they are kept, and how their deliveries come to an end. Each is tried until the address says 2xx, with longer and
// longer waits; after the last one it is a dead letter, which can be replayed. An address that says 410 is told no more. What waits for a
// webhook that is disabled becomes a dead letter too, and so does what happens meanwhile: kept as long as others, and sent by replay alone.

import type {
  ChangeWebhookRequest,
  CreatedWebhook,
  CreateWebhookRequest,
  Webhook,
  WebhookDelivery,
} from '@stowage/contract';
import { webhookEventTypes } from '@stowage/contract';
import type { NoteOf } from '../accounts/members.ts';
import type { Account } from '../database/account-tables.ts';
import type { TenantId } from '../database/tenant-id.ts';
import type { DueDelivery, WebhookTable } from '../database/work-tables.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { fairly, halfOf } from '../lifecycle/fair-work.ts';
import type { LaneWork } from '../lifecycle/lane.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import type { SealedText } from '../sealed-text.ts';
import { refuseUrl, type SendOutcome, sendWebhook } from './send-webhook.ts';
import type { DeliveryRecord, WebhookRecord } from './webhook-record.ts';

export interface Webhooks {
  list(tenantId: string): Promise<readonly Webhook[]>;
  /** Throws `forbidden` for an address that may not be told, or when there are too many. */
  create(account: Account, request: CreateWebhookRequest, noteOf: NoteOf): Promise<CreatedWebhook>;
  /** Throws `not-found`, `forbidden`. */
  change(webhook: TenantId, request: ChangeWebhookRequest, noteOf: NoteOf): Promise<Webhook>;
  /** Throws `not-found`. */
  rotateSecret(webhook: TenantId, noteOf: NoteOf): Promise<CreatedWebhook>;
  /** Throws `not-found`. */
  remove(webhook: TenantId, noteOf: NoteOf): Promise<void>;
  /** Throws `not-found`. */
  test(webhook: TenantId): Promise<void>;
  /** Throws `not-found`. */
  listDeliveries(
    webhook: TenantId,
    page: { readonly cursor?: string; readonly limit?: number },
  ): Promise<{ readonly deliveries: readonly WebhookDelivery[]; readonly nextCursor?: string }>;
  /** Throws `not-found`. */
  replay(webhook: TenantId, deliveryId: string): Promise<void>;
  /** Sends what is due: for a lane of the worker. */
  readonly deliveries: LaneWork<DeliveryRecord>;
}

interface WebhooksOptions {
  readonly table: WebhookTable;
  readonly secrets: SealedText;
  readonly limits: Pick<
    FilesLimits,
    'maxWebhooks' | 'webhookTimeoutMs' | 'webhookHistoryMs' | 'webhookConcurrency' | 'webhookReceiverConcurrency'
  >;
  readonly allowPrivate: boolean;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly newId: () => string;
  readonly log: FilesLog;
  /** Told that a delivery was written. */
  readonly onDue: () => void;
  /** By which the receiver goes on with the trace at hand. */
  readonly traceHeaders: () => Readonly<Record<string, string>>;
  readonly onDelivery: (outcome: 'delivered' | 'retried' | 'dead') => void;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Waits after each failed try, as Standard Webhooks recommends; a fifth more or less by chance, so that tries do not come together. */
const retryWaitsMs = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];
const secretBytes = 32;
/** Secrets of webhooks are sealed for no place: there is one column for them. */
const anywhere = '';
const oldSecretLifeMs = 24 * hour;
/** A delivery that is sent is nobody else's for so long: more than sending may take, and writing down what came of it. */
const leasesPerTimeout = 2;
/** Deliveries that are ended or forgotten in one transaction. */
const sliceSize = 500;
/** Slices of one webhook that is deleted: what is left after them goes with its row. */
const maxRemovalSlices = 100_000;
/** How often a change is tried anew when another came in between. */
const maxChangeAttempts = 8;
const defaultPageSize = 50;
const maxAnswerCharacters = 300;

export function openWebhooks(options: WebhooksOptions): Webhooks {
  const { table, secrets, limits, allowPrivate, clock, random, newId, log } = options;
  const newSecret = (): string => `whsec_${Buffer.from(random(secretBytes)).toString('base64')}`;
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  /** Whether something may wait for a webhook that is disabled. */
  let hasDisabled = true;
  const sending = fairly<DueDelivery, DeliveryRecord>({
    waiting: table.waiting,
    places: limits.webhookConcurrency,
    clock,
    // An address that does not answer holds each of its places until its time is over: however many webhooks lead there, it has a few.
    sharesOf: ({ tenantId, url }) => [
      { holder: `tenant ${tenantId}`, atMost: halfOf(limits.webhookConcurrency) },
      { holder: `receiver ${new URL(url).host}`, atMost: limits.webhookReceiverConcurrency },
    ],
    take: (ids) => table.take(ids, { nowMs: clock(), leaseMs: limits.webhookTimeoutMs * leasesPerTimeout }),
    idOf: ({ id }) => id,
    run: (delivery) =>
      attempt(delivery).catch((error: unknown) =>
        log.warn('A webhook delivery failed; it is tried again.', { deliveryId: delivery.id, ...errorFields(error) }),
      ),
    giveBack: (taken) => table.giveBack(taken, clock()),
  });

  async function find(address: TenantId): Promise<WebhookRecord> {
    const webhook = await table.get(address);
    if (webhook === undefined) throw missing(address);
    return webhook;
  }

  function requireUrl(text: string): void {
    const refusal = refuseUrl(new URL(text), allowPrivate);
    if (refusal !== undefined) throw new FilesError('forbidden', { detail: refusal });
  }

  function newDelivery(
    webhook: WebhookRecord,
    event: Pick<DeliveryRecord, 'eventId' | 'type' | 'body'>,
  ): DeliveryRecord {
    const nowMs = clock();
    return {
      id: newId(),
      tenantId: webhook.tenantId,
      webhookId: webhook.id,
      ...event,
      state: 'waiting',
      attempts: 0,
      dueAtMs: nowMs,
      createdAtMs: nowMs,
      deliveredAtMs: null,
      lastAnswer: null,
    };
  }

  function unseal(sealed: string): string {
    const secret = secrets.open(sealed, anywhere);
    if (secret === undefined)
      throw new Error('The secret of a webhook was not sealed with the secret of this service.');
    return secret;
  }

  async function attempt(delivery: DeliveryRecord): Promise<void> {
    const webhook = await table.get({ tenantId: delivery.tenantId, id: delivery.webhookId });
    if (webhook === undefined) return; // its deliveries went with it
    const nowMs = clock();
    const sealed = [webhook.secretSealed];
    if (webhook.oldSecretSealed !== null && (webhook.oldSecretUntilMs ?? 0) > nowMs)
      sealed.push(webhook.oldSecretSealed);
    const outcome = await sendWebhook({
      url: webhook.url,
      delivery,
      secrets: sealed.map(unseal),
      headers: options.traceHeaders(),
      nowMs,
      timeoutMs: limits.webhookTimeoutMs,
      allowPrivate,
    });
    await settle(delivery, webhook, outcome);
  }

  async function settle(delivery: DeliveryRecord, webhook: WebhookRecord, outcome: SendOutcome): Promise<void> {
    const nowMs = clock();
    const lastAnswer = ('status' in outcome ? String(outcome.status) : outcome.failure).slice(0, maxAnswerCharacters);
    if ('status' in outcome && outcome.status >= 200 && outcome.status < 300) {
      await table.settle(delivery, { state: 'delivered', dueAtMs: null, deliveredAtMs: nowMs, lastAnswer });
      options.onDelivery('delivered');
      return;
    }
    const gone = 'status' in outcome && outcome.status === 410;
    if (gone) {
      await table.disable(webhook, 'The address answered 410 Gone.');
      hasDisabled = true;
    }
    const waitMs = retryWaitsMs[delivery.attempts - 1];
    if (gone || waitMs === undefined) {
      log.warn('A webhook delivery was given up.', { webhookId: webhook.id, deliveryId: delivery.id, lastAnswer });
      await table.settle(delivery, { state: 'dead', dueAtMs: null, deliveredAtMs: null, lastAnswer });
      options.onDelivery('dead');
      return;
    }
    const chance = 0.8 + ((random(1)[0] ?? 0) / 255) * 0.4;
    await table.settle(delivery, {
      state: 'waiting',
      dueAtMs: nowMs + Math.round(waitMs * chance),
      deliveredAtMs: null,
      lastAnswer,
    });
    options.onDelivery('retried');
  }

  /** Ends what waits for nobody, and forgets what is old: a slice at each look, so that no look takes long. */
  async function sweep(): Promise<void> {
    const nowMs = clock();
    if (nowMs - sweptAtMs > hour) {
      sweptAtMs = nowMs;
      // Another instance may have disabled one, and ended before it came to this.
      hasDisabled = true;
      if ((await table.removeSettled(nowMs - limits.webhookHistoryMs, sliceSize)) === sliceSize)
        sweptAtMs = Number.NEGATIVE_INFINITY;
    }
    if (!hasDisabled) return;
    const ended = await table.endDisabled(sliceSize);
    hasDisabled = ended === sliceSize;
    for (let count = 0; count < ended; count++) options.onDelivery('dead');
  }

  return {
    list: async (tenantId) => (await table.list(tenantId)).map(shownWebhook),

    create: async ({ tenantId }, { url, events = webhookEventTypes }, noteOf) => {
      requireUrl(url);
      const secret = newSecret();
      const webhook: WebhookRecord = {
        id: newId(),
        tenantId,
        url,
        events: [...new Set(events)],
        secretSealed: secrets.seal(secret, anywhere),
        oldSecretSealed: null,
        oldSecretUntilMs: null,
        enabled: true,
        disabledReason: null,
        createdAtMs: clock(),
      };
      // Of the address, only where it leads: the rest may hold a key of the receiver's.
      const details = { host: new URL(url).host };
      const note = noteOf({ action: 'webhook.created', subject: subjectOf(webhook), details });
      if (!(await table.add(webhook, note, limits.maxWebhooks))) {
        throw new FilesError('forbidden', {
          detail: `There are ${limits.maxWebhooks} webhooks already. Delete one first.`,
        });
      }
      return { ...shownWebhook(webhook), secret };
    },

    change: async (address, { url, events, enabled }, noteOf) => {
      if (url !== undefined) requireUrl(url);
      const webhook = await find(address);
      const changes = {
        ...(url === undefined ? {} : { url }),
        ...(events === undefined ? {} : { events: [...new Set(events)] }),
        ...(enabled === undefined ? {} : { enabled, disabledReason: null }),
      };
      const details = { host: new URL(url ?? webhook.url).host, enabled: enabled ?? webhook.enabled };
      const note = noteOf({ action: 'webhook.changed', subject: subjectOf(webhook), details });
      // What is not changed here, somebody else may be changing.
      const changed = Object.keys(changes).length === 0 ? webhook : await table.change(address, changes, note);
      if (changed === undefined) throw missing(address);
      if (!changed.enabled) hasDisabled = true;
      options.onDue();
      return shownWebhook(changed);
    },

    rotateSecret: async (address, noteOf) => {
      const secret = newSecret();
      const secretSealed = secrets.seal(secret, anywhere);
      const note = noteOf({
        action: 'webhook.changed',
        subject: subjectOf(address),
        details: { secret: 'rotated' },
      });
      for (let attempt = 0; attempt < maxChangeAttempts; attempt++) {
        const { secretSealed: oldSecretSealed } = await find(address);
        // The one before is the one that was handed out last: of two rotations at once, neither is lost.
        const changes = { secretSealed, oldSecretSealed, oldSecretUntilMs: clock() + oldSecretLifeMs };
        const changed = await table.change({ ...address, ifSecret: oldSecretSealed }, changes, note);
        if (changed !== undefined) return { ...shownWebhook(changed), secret };
      }
      throw new FilesError('wrong-state', {
        detail: 'The secret is being rotated by somebody else too; try again.',
        retryAfterSeconds: 1,
      });
    },

    remove: async (address, noteOf) => {
      await find(address);
      // Of years there may be millions: others get their turn in between. Broken off, it can be deleted again.
      for (let slice = 0; slice < maxRemovalSlices; slice++) {
        if ((await table.removeDeliveries(address, sliceSize)) < sliceSize) break;
      }
      const note = noteOf({ action: 'webhook.deleted', subject: subjectOf(address) });
      if (!(await table.remove(address, note))) throw missing(address);
    },

    test: async (address) => {
      const webhook = await find(address);
      if (!webhook.enabled) hasDisabled = true;
      const type = 'webhook.test';
      const body = JSON.stringify({ type, timestamp: isoDate(clock()), data: {} });
      if (!(await table.addDelivery(newDelivery(webhook, { eventId: newId(), type, body })))) throw missing(address);
      options.onDue();
    },

    listDeliveries: async (address, { cursor, limit = defaultPageSize }) => {
      const { tenantId, id: webhookId } = await find(address);
      const rows = await table.listDeliveries({ tenantId, webhookId, limit: limit + 1, beforeId: cursor });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const more = rows.length > limit && last !== undefined;
      return { deliveries: page.map(shownDelivery), ...(more ? { nextCursor: last.id } : {}) };
    },

    replay: async (address, id) => {
      const webhook = await find(address);
      const delivery = await table.getDelivery({ tenantId: address.tenantId, webhookId: webhook.id, id });
      if (delivery === undefined) throw new FilesError('not-found', { detail: `The webhook has no delivery ${id}.` });
      if (!webhook.enabled) hasDisabled = true;
      const { eventId, type, body } = delivery;
      if (!(await table.addDelivery(newDelivery(webhook, { eventId, type, body })))) throw missing(address);
      options.onDue();
    },

    deliveries: {
      ...sending,
      take: async (limit) => {
        await sweep();
        return sending.take(limit);
      },
    },
  };
}

function shownWebhook({ id, url, events, enabled, disabledReason, createdAtMs }: WebhookRecord): Webhook {
  const why = disabledReason === null ? {} : { disabledReason };
  return { id, url, events, enabled, ...why, createdAt: isoDate(createdAtMs) };
}

function shownDelivery(delivery: DeliveryRecord): WebhookDelivery {
  const { id, type, state, attempts, createdAtMs, deliveredAtMs, dueAtMs, lastAnswer } = delivery;
  return {
    id,
    type,
    state,
    attempts,
    createdAt: isoDate(createdAtMs),
    ...(deliveredAtMs === null ? {} : { deliveredAt: isoDate(deliveredAtMs) }),
    ...(dueAtMs === null ? {} : { nextAttemptAt: isoDate(dueAtMs) }),
    ...(lastAnswer === null ? {} : { lastAnswer }),
  };
}

function missing({ id }: Pick<TenantId, 'id'>): FilesError {
  return new FilesError('not-found', { detail: `There is no webhook ${id}.` });
}

function subjectOf({ id }: Pick<TenantId, 'id'>): { readonly kind: 'webhook'; readonly id: string } {
  return { kind: 'webhook', id };
}
