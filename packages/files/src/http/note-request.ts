// What is noted of every request, whatever answers it: an id, the trace it belongs to, how it went and how long it took; in the log,
// the metrics, a span and the books of usage. Addresses are not noted as they came: they may hold the token of a share.

import { createMiddleware } from 'hono/factory';
import type { FilesLog } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { stopwatch } from '../telemetry/observe.ts';
import { type RequestScope, traceIdOf } from '../telemetry/request-scope.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { HonoTypes } from './request-context.ts';

interface NoteRequestOptions {
  readonly log: FilesLog;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly scope: RequestScope;
  readonly newId: () => string;
  /** Told of each request of somebody who was recognised. */
  readonly onRequest: (tenantId: string) => void;
}

const requestIdPattern = /^[\w-]{8,64}$/;

export function noteRequest({ log, metrics, tracing, scope, newId, onRequest }: NoteRequestOptions) {
  return createMiddleware<HonoTypes>(async (context, next) => {
    const given = context.req.header('x-request-id');
    const requestId = given !== undefined && requestIdPattern.test(given) ? given : newId();
    context.set('requestId', requestId);
    context.set('answeredBy', 'none');
    const caller = { traceparent: context.req.header('traceparent'), tracestate: context.req.header('tracestate') };
    const elapsed = stopwatch();
    metrics.add('stowage_files_requests_in_flight', 1);
    try {
      await tracing.span('request', { kind: 'server', caller }, async (span) => {
        const traceId = span.traceId ?? traceIdOf(caller.traceparent);
        await scope.run({ requestId, ...(traceId === undefined ? {} : { traceId }) }, async () => {
          await next();
          const { status } = context.res;
          const route = context.get('answeredBy');
          const { method } = context.req;
          const attributes = {
            'http.request.method': method,
            'http.route': route,
            'http.response.status_code': status,
          };
          span.set({ ...attributes, 'stowage.request_id': requestId });
          metrics.add('stowage_files_requests_total', 1, { route, status: String(status) });
          metrics.observe('stowage_files_request_duration_seconds', elapsed(), { route });
          log.info('request', { method, route, status, durationMs: Math.round(elapsed() * 1000) });
        });
      });
    } finally {
      metrics.add('stowage_files_requests_in_flight', -1);
    }
    const tenantId = context.get('tenantId');
    if (tenantId !== undefined) onRequest(tenantId);
    context.res.headers.set('x-request-id', requestId);
    context.res.headers.set('x-content-type-options', 'nosniff');
    context.res.headers.set('referrer-policy', 'no-referrer');
  });
}
