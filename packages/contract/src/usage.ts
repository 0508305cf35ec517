// What a tenant used, by day (UTC): what it stores, what came in, what was handed out.

import { z } from 'zod';

export const usageLimits = {
  /** Days that one question may span. */
  maxDays: 400,
} as const;

export interface UsageDay {
  readonly tenantId: string;
  /** `2026-11-21`, in UTC. */
  readonly day: string;
  /** At the end of the day, or now: all versions, and what is in trash and quarantine. */
  readonly storedBytes: number;
  readonly storedFiles: number;
  /** Files that arrived from clients, and their bytes. Counted exactly. */
  readonly uploads: number;
  readonly uploadedBytes: number;
  /** Addresses handed out that download a file, and archives; counted exactly. */
  readonly downloads: number;
  /** What those downloads come to when each is taken once and whole: the bucket alone knows what was. */
  readonly downloadBytes: number;
  /** Requests of its users, keys and tokens. Those of the last seconds before a crash are not counted. */
  readonly requests: number;
}

const daySchema = z.iso.date();
const count = z.int().min(0);

export interface UsageDayList {
  /** By tenant, then by day; every day of the range from the tenant's first on. */
  readonly days: readonly UsageDay[];
  readonly nextCursor?: string;
}

export const usageDayListSchema: z.ZodType<UsageDayList> = z.object({
  days: z.array(
    z.object({
      tenantId: z.string(),
      day: daySchema,
      storedBytes: count,
      storedFiles: count,
      uploads: count,
      uploadedBytes: count,
      downloads: count,
      downloadBytes: count,
      requests: count,
    }),
  ),
  nextCursor: z.string().exactOptional(),
});

const range = {
  /** The first day. Default: 29 days before `until`. */
  from: daySchema.exactOptional(),
  /** The last day, which is in it. Default: today. */
  until: daySchema.exactOptional(),
};

export const usageQuerySchema = z.strictObject(range);

export const allUsageQuerySchema = z.strictObject({
  ...range,
  /** Only this tenant's. */
  tenantId: z.string().max(64).exactOptional(),
});

export const allUsagePageQuerySchema = z.strictObject({
  ...allUsageQuerySchema.shape,
  cursor: z.string().max(64).exactOptional(),
  /** Tenants on one page. Default 20. */
  limit: z.coerce.number().int().min(1).max(50).exactOptional(),
});
