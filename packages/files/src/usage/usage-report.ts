// What was used, by tenant and day, as it is told: every day of a range with what was stored at its end, also where nothing happened.

import { type UsageDay, type UsageDayList, usageLimits } from '@stowage/contract';
import type { UsageDayTable } from '../database/database.ts';
import { dayOf } from '../database/usage-day-table.ts';
import { FilesError } from '../files-error.ts';

interface UsageRange {
  readonly from?: string;
  readonly until?: string;
}

export interface UsageReport {
  /** One tenant's. Throws `invalid-request` for a range that is none, or too long. */
  of(tenantId: string, range: UsageRange): Promise<UsageDayList>;
  /** A page of tenants, or the one that is named. */
  all(
    query: UsageRange & { readonly tenantId?: string; readonly cursor?: string; readonly limit?: number },
  ): Promise<UsageDayList>;
  /** One tenant's as CSV. */
  tableOf(tenantId: string, range: UsageRange): ReadableStream<Uint8Array>;
  /** Everybody's as CSV, read while it is sent. */
  table(query: UsageRange & { readonly tenantId?: string }): ReadableStream<Uint8Array>;
}

interface UsageReportOptions {
  readonly table: Pick<UsageDayTable, 'list' | 'tenants'>;
  readonly clock: () => number;
}

const dayMs = 24 * 60 * 60_000;
const defaultDays = 30;
const defaultTenants = 20;

const columns = [
  'tenantId',
  'day',
  'storedBytes',
  'storedFiles',
  'uploads',
  'uploadedBytes',
  'downloads',
  'downloadBytes',
  'requests',
] as const satisfies readonly (keyof UsageDay)[];

export function openUsageReport({ table, clock }: UsageReportOptions): UsageReport {
  function rangeOf({ from, until = dayOf(clock()) }: UsageRange): readonly string[] {
    const lastMs = Date.parse(`${until}T00:00:00Z`);
    const firstMs = from === undefined ? lastMs - (defaultDays - 1) * dayMs : Date.parse(`${from}T00:00:00Z`);
    const count = Math.round((lastMs - firstMs) / dayMs) + 1;
    if (count >= 1 && count <= usageLimits.maxDays) {
      return Array.from({ length: count }, (_, index) => dayOf(firstMs + index * dayMs));
    }
    throw new FilesError('invalid-request', {
      detail:
        count < 1
          ? `The range ends before it begins: from ${from} until ${until}.`
          : `The range has ${count} days; at most ${usageLimits.maxDays} are told at once.`,
    });
  }

  async function daysOf(tenantId: string, range: readonly string[]): Promise<readonly UsageDay[]> {
    const [from = '', until = from] = [range[0], range.at(-1)];
    const { before, days } = await table.list({ tenantId, from, until });
    const rows = new Map(days.map((row) => [row.day, row]));
    let storedBytes = before?.storedBytesChange ?? 0;
    let storedFiles = before?.storedFilesChange ?? 0;
    const first = before === undefined ? days[0]?.day : from;
    const today = dayOf(clock());
    return range
      .filter((day) => first !== undefined && day >= first && day <= today)
      .map((day) => {
        const row = rows.get(day);
        storedBytes += row?.storedBytesChange ?? 0;
        storedFiles += row?.storedFilesChange ?? 0;
        const { uploads = 0, uploadedBytes = 0, downloads = 0, downloadBytes = 0, requests = 0 } = row ?? {};
        return { tenantId, day, storedBytes, storedFiles, uploads, uploadedBytes, downloads, downloadBytes, requests };
      });
  }

  async function* lines(tenants: AsyncIterable<string>, range: readonly string[]): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    yield encoder.encode(`${columns.join(',')}\r\n`);
    for await (const tenantId of tenants) {
      // Ids, dates and numbers: nothing needs quoting.
      const text = (await daysOf(tenantId, range)).map((day) => `${columns.map((name) => day[name]).join(',')}\r\n`);
      if (text.length > 0) yield encoder.encode(text.join(''));
    }
  }

  async function* everyTenant(): AsyncGenerator<string> {
    let after: string | undefined;
    for (;;) {
      const page = await table.tenants({ after, limit: defaultTenants });
      yield* page;
      after = page.at(-1);
      if (after === undefined) return;
    }
  }

  return {
    of: async (tenantId, range) => ({ days: await daysOf(tenantId, rangeOf(range)) }),

    all: async ({ tenantId, cursor, limit = defaultTenants, ...range }) => {
      const days = rangeOf(range);
      if (tenantId !== undefined) return { days: await daysOf(tenantId, days) };
      const tenants = await table.tenants({ after: cursor, limit: limit + 1 });
      const page = tenants.slice(0, limit);
      const last = page.at(-1);
      const found: UsageDay[] = [];
      for (const id of page) found.push(...(await daysOf(id, days)));
      return { days: found, ...(tenants.length > limit && last !== undefined ? { nextCursor: last } : {}) };
    },

    tableOf: (tenantId, range) => streamOf(lines(only(tenantId), rangeOf(range))),

    table: ({ tenantId, ...range }) =>
      streamOf(lines(tenantId === undefined ? everyTenant() : only(tenantId), rangeOf(range))),
  };
}

async function* only(tenantId: string): AsyncGenerator<string> {
  yield tenantId;
}

function streamOf(pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => {
      await pieces.return(undefined);
    },
  });
}
