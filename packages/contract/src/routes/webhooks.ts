// Webhooks: where an application is told what happens to its files.

import {
  changeWebhookRequestSchema,
  createdWebhookSchema,
  createWebhookRequestSchema,
  webhookDeliveryListSchema,
  webhookListSchema,
  webhookSchema,
} from '../webhook.ts';
import { cursorQuery } from './cursor-query.ts';
import type { Route } from './route.ts';

export const webhookRoutes = {
  listWebhooks: {
    method: 'GET',
    path: '/v1/webhooks',
    summary: 'Webhooks.',
    access: 'authenticated',
    status: 200,
    response: webhookListSchema,
    problems: [],
  },
  createWebhook: {
    method: 'POST',
    path: '/v1/webhooks',
    summary: 'Have an address told what happens. Answers the secret that deliveries are signed with, once.',
    access: 'authenticated',
    body: createWebhookRequestSchema,
    status: 201,
    response: createdWebhookSchema,
    problems: ['forbidden'],
  },
  changeWebhook: {
    method: 'PATCH',
    path: '/v1/webhooks/{id}',
    summary: 'Change the address or the events, or switch it on or off.',
    access: 'authenticated',
    body: changeWebhookRequestSchema,
    status: 200,
    response: webhookSchema,
    problems: ['not-found', 'forbidden'],
  },
  deleteWebhook: {
    method: 'DELETE',
    path: '/v1/webhooks/{id}',
    summary: 'Tell the address nothing more. What waits for it is dropped.',
    access: 'authenticated',
    status: 204,
    problems: ['not-found'],
  },
  rotateWebhookSecret: {
    method: 'POST',
    path: '/v1/webhooks/{id}/secret',
    summary: 'Make a new secret. For a day deliveries are signed with both.',
    access: 'authenticated',
    status: 200,
    response: createdWebhookSchema,
    problems: ['not-found'],
  },
  testWebhook: {
    method: 'POST',
    path: '/v1/webhooks/{id}/test',
    summary: 'Send an event that says nothing but that it came.',
    access: 'authenticated',
    status: 204,
    problems: ['not-found'],
  },
  listDeliveries: {
    method: 'GET',
    path: '/v1/webhooks/{id}/deliveries',
    summary: 'Deliveries of a webhook, the newest first.',
    access: 'authenticated',
    query: cursorQuery,
    status: 200,
    response: webhookDeliveryListSchema,
    problems: ['not-found'],
  },
  replayDelivery: {
    method: 'POST',
    path: '/v1/webhooks/{id}/deliveries/{deliveryId}/replay',
    summary: 'Deliver an event once more, whatever became of it.',
    access: 'authenticated',
    status: 204,
    problems: ['not-found'],
  },
} as const satisfies Record<string, Route>;
