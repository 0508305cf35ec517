// What was used, by tenant and day.

import type { UsageReport } from '../../usage/usage-report.ts';
import type { HandlersOf } from '../handler.ts';

export interface UsageHandlersOptions {
  readonly usageReport: UsageReport;
}

const download = { 'content-disposition': 'attachment; filename="usage.csv"' };

export function usageHandlers({ usageReport }: UsageHandlersOptions): HandlersOf<'usage'> {
  return {
    getUsage: async ({ caller, query }) => ({ body: await usageReport.of(caller.account.tenantId, query) }),
    getUsageTable: async ({ caller, query }) => ({
      body: undefined,
      stream: usageReport.tableOf(caller.account.tenantId, query),
      headers: download,
    }),
    getAllUsage: async ({ query }) => ({ body: await usageReport.all(query) }),
    getAllUsageTable: async ({ query }) => ({ body: undefined, stream: usageReport.table(query), headers: download }),
  };
}
