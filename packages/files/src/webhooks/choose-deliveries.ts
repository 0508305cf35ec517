// Which deliveries are sent next. All tenants share the places, and an address that does not answer holds each of its own until its
// time is over: so an address has a few of them at most, however many webhooks lead there, and a tenant half of them.

import type { DueDelivery } from '../database/work-tables.ts';

interface Chosen {
  readonly ids: readonly string[];
  /** Webhooks whose deliveries were passed over: nothing more of them can go now. */
  readonly passedOver: readonly string[];
}

interface Places {
  /** What is being sent. */
  readonly running: readonly Pick<DueDelivery, 'tenantId' | 'url'>[];
  readonly free: number;
  readonly ofReceiver: number;
  readonly ofTenant: number;
}

/** `due` is in the order in which they are to go. */
export function chooseDeliveries(due: readonly DueDelivery[], places: Places): Chosen {
  const receivers = countBy(places.running, ({ url }) => receiverOf(url));
  const tenants = countBy(places.running, ({ tenantId }) => tenantId);
  const ids: string[] = [];
  const passedOver = new Set<string>();
  for (const { id, webhookId, tenantId, url } of due) {
    if (ids.length === places.free) break;
    const receiver = receiverOf(url);
    const [ofReceiver, ofTenant] = [receivers.get(receiver) ?? 0, tenants.get(tenantId) ?? 0];
    if (ofReceiver >= places.ofReceiver || ofTenant >= places.ofTenant) {
      passedOver.add(webhookId);
      continue;
    }
    receivers.set(receiver, ofReceiver + 1);
    tenants.set(tenantId, ofTenant + 1);
    ids.push(id);
  }
  return { ids, passedOver: [...passedOver] };
}

/** Who answers for an address: many paths of one host are one receiver. */
function receiverOf(url: string): string {
  return new URL(url).host;
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
