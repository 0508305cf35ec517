// Webhooks: what the service tells an application when something happens to a file. Spec: Standard Webhooks (standardwebhooks.com).

import { z } from 'zod';

/** What can happen. Each says that a file has come into a state; the application reads the file for more. */
export const webhookEventTypes = [
  'upload.aborted',
  'upload.expired',
  'file.uploaded',
  'file.rejected',
  'file.quarantined',
  'file.scan-failed',
  'file.ready',
  'file.trashed',
  'file.purged',
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** The body of a delivery. `webhook-id` is the same in every try; deliveries may come twice, late and in any order. */
export interface WebhookEvent {
  readonly type: WebhookEventType | 'webhook.test';
  /** When it happened. */
  readonly timestamp: string;
  readonly data: {
    readonly fileId?: string;
    readonly versionId?: string;
    readonly name?: string;
    readonly folderId?: string;
    readonly sizeBytes?: number;
    readonly contentType?: string;
    readonly state?: string;
    readonly reason?: string;
  };
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly events: readonly WebhookEventType[];
  readonly enabled: boolean;
  /** Why the service disabled it by itself. */
  readonly disabledReason?: string;
  readonly createdAt: string;
}

const eventsSchema = z.array(z.enum(webhookEventTypes)).min(1);
const webhookShape = {
  id: z.string(),
  url: z.string(),
  events: eventsSchema,
  enabled: z.boolean(),
  disabledReason: z.string().exactOptional(),
  createdAt: z.iso.datetime(),
};
export const webhookSchema: z.ZodType<Webhook> = z.object(webhookShape);

export interface CreatedWebhook extends Webhook {
  /** `whsec_…`, shown this once. Deliveries are signed with it. */
  readonly secret: string;
}

export const createdWebhookSchema: z.ZodType<CreatedWebhook> = z.object({ ...webhookShape, secret: z.string() });

export interface WebhookList {
  readonly webhooks: readonly Webhook[];
}

export const webhookListSchema: z.ZodType<WebhookList> = z.object({ webhooks: z.array(webhookSchema) });

export interface CreateWebhookRequest {
  /** https, or http where the service allows it. */
  readonly url: string;
  /** Default: all. */
  readonly events?: readonly WebhookEventType[];
}

const urlSchema = z.url({ protocol: /^https?$/ }).max(2048);
export const createWebhookRequestSchema: z.ZodType<CreateWebhookRequest> = z.strictObject({
  url: urlSchema,
  events: eventsSchema.exactOptional(),
});

/** What is not named stays as it is. */
export interface ChangeWebhookRequest {
  readonly url?: string;
  readonly events?: readonly WebhookEventType[];
  readonly enabled?: boolean;
}

export const changeWebhookRequestSchema: z.ZodType<ChangeWebhookRequest> = z.strictObject({
  url: urlSchema.exactOptional(),
  events: eventsSchema.exactOptional(),
  enabled: z.boolean().exactOptional(),
});

/** `waiting`: to be tried, or tried again. `dead`: given up; it can be replayed. */
export type DeliveryState = 'waiting' | 'delivered' | 'dead';

export interface WebhookDelivery {
  readonly id: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly createdAt: string;
  readonly deliveredAt?: string;
  readonly nextAttemptAt?: string;
  /** The answer to the last try: its status, or why there was none. */
  readonly lastAnswer?: string;
}

export interface WebhookDeliveryList {
  /** The newest first. */
  readonly deliveries: readonly WebhookDelivery[];
  readonly nextCursor?: string;
}

export const webhookDeliveryListSchema: z.ZodType<WebhookDeliveryList> = z.object({
  deliveries: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      state: z.enum(['waiting', 'delivered', 'dead']),
      attempts: z.int(),
      createdAt: z.iso.datetime(),
      deliveredAt: z.iso.datetime().exactOptional(),
      nextAttemptAt: z.iso.datetime().exactOptional(),
      lastAnswer: z.string().exactOptional(),
    }),
  ),
  nextCursor: z.string().exactOptional(),
});
