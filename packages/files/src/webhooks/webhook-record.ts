// A webhook and its deliveries as the service knows them. Secrets are kept sealed (sealed-text.ts).

import type { DeliveryState, WebhookEventType } from '@stowage/contract';

export interface WebhookRecord {
  /** A ULID. */
  readonly id: string;
  readonly tenantId: string;
  readonly url: string;
  readonly events: readonly WebhookEventType[];
  readonly secretSealed: string;
  /** The secret before, good until `oldSecretUntilMs`. */
  readonly oldSecretSealed: string | null;
  readonly oldSecretUntilMs: number | null;
  readonly enabled: boolean;
  readonly disabledReason: string | null;
  readonly createdAtMs: number;
}

export interface DeliveryRecord {
  /** A ULID. */
  readonly id: string;
  readonly tenantId: string;
  readonly webhookId: string;
  /** `webhook-id` of every try, also of a replay: a receiver that knows it has had it. */
  readonly eventId: string;
  readonly type: string;
  /** JSON text, byte for byte as it is signed and sent. */
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** When it is tried; `null` when it is not. */
  readonly dueAtMs: number | null;
  readonly createdAtMs: number;
  readonly deliveredAtMs: number | null;
  readonly lastAnswer: string | null;
}
