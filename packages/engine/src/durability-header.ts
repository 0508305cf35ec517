// x-stowage-durability: how durable acknowledged writes to a bucket are. An addition to S3: CreateBucket takes it, and
// HeadBucket shows what holds. `strict`, `memory`, or `interval=` and milliseconds.

import { type RequestHeaders, S3Error } from '@stowage/s3';
import { type Durability, maxIntervalMs } from '@stowage/store';

export const durabilityHeader = 'x-stowage-durability';

/** What a request asks for; absent without the header. @throws S3Error `InvalidArgument`. */
export function parseDurabilityHeader(headers: RequestHeaders): Durability | undefined {
  const text = headers[durabilityHeader];
  if (text === undefined) return undefined;
  if (text === 'strict' || text === 'memory') return { level: text };
  const interval = /^interval=(\d{1,5})$/.exec(text);
  const intervalMs = Number(interval?.[1] ?? 0);
  if (intervalMs >= 1 && intervalMs <= maxIntervalMs) return { level: 'interval', intervalMs };
  throw new S3Error(
    'InvalidArgument',
    `${durabilityHeader} is "${text}": give strict, memory, or interval=N with 1 to ${maxIntervalMs} milliseconds for N.`,
    { details: { ArgumentName: durabilityHeader, ArgumentValue: text } },
  );
}

export function formatDurability(durability: Durability): string {
  return durability.level === 'interval' ? `interval=${durability.intervalMs}` : durability.level;
}
