// Webhooks: where an application is told what happens to its files.

import type { RouteName } from '@stowage/contract';
import type { TenantId } from '../../database/tenant-id.ts';
import type { Webhooks } from '../../webhooks/webhooks.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';

export interface WebhookHandlersOptions {
  readonly webhooks: Webhooks;
}

export function webhookHandlers({ webhooks }: WebhookHandlersOptions): HandlersOf<'webhooks'> {
  const webhookOf = (call: Call<RouteName>): TenantId => ({ tenantId: call.caller.account.tenantId, id: idOf(call) });

  return {
    listWebhooks: async ({ caller }) => ({ body: { webhooks: await webhooks.list(caller.account.tenantId) } }),
    createWebhook: async ({ caller, body, note }) => ({ body: await webhooks.create(caller.account, body, note) }),
    changeWebhook: async (call) => ({ body: await webhooks.change(webhookOf(call), call.body, call.note) }),
    deleteWebhook: async (call) => {
      await webhooks.remove(webhookOf(call), call.note);
      return { body: undefined };
    },
    rotateWebhookSecret: async (call) => ({ body: await webhooks.rotateSecret(webhookOf(call), call.note) }),
    testWebhook: async (call) => {
      await webhooks.test(webhookOf(call));
      return { body: undefined };
    },
    listDeliveries: async (call) => ({ body: await webhooks.listDeliveries(webhookOf(call), call.query) }),
    replayDelivery: async (call) => {
      await webhooks.replay(webhookOf(call), call.params.deliveryId ?? '');
      return { body: undefined };
    },
  };
}
