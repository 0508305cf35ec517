// Which request something is done for, known to whatever it calls: each line of the log that is written meanwhile names the request
// and its trace. A caller's trace is known by its `traceparent`, also where no traces are made here.
// Spec: W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header

import { AsyncLocalStorage } from 'node:async_hooks';
import type { FilesLog, LogFields } from '../log.ts';

interface RequestScopeFields {
  readonly requestId: string;
  readonly traceId?: string;
}

export interface RequestScope {
  run<Result>(fields: RequestScopeFields, work: () => Promise<Result>): Promise<Result>;
  /** A log that adds the request at hand to what it is told. */
  logTo(log: FilesLog): FilesLog;
}

export function openRequestScope(): RequestScope {
  const storage = new AsyncLocalStorage<RequestScopeFields>();
  const add = (fields: LogFields): LogFields => {
    const scope = storage.getStore();
    return scope === undefined ? fields : { ...scope, ...fields };
  };
  return {
    run: (fields, work) => storage.run(fields, work),
    logTo: (log) => ({
      debug: (message, fields) => log.debug?.(message, add(fields)),
      info: (message, fields) => log.info(message, add(fields)),
      warn: (message, fields) => log.warn(message, add(fields)),
      error: (message, fields) => log.error(message, add(fields)),
    }),
  };
}

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/** The trace of a `traceparent`; `undefined` when it is none that can be followed. */
export function traceIdOf(header: string | undefined): string | undefined {
  const [, traceId, spanId] = traceparent.exec(header ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || header?.startsWith('ff')) return undefined;
  return /^0+$/.test(traceId) || /^0+$/.test(spanId) ? undefined : traceId;
}
