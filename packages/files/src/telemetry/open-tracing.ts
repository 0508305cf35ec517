// Spans by OpenTelemetry, sent in batches to a collector over OTLP/HTTP as JSON. Nothing is registered globally: several services in
// one process do not meet, and an application's own tracing is left alone. Which span is at hand is kept by Node's async context.
// Spec: https://opentelemetry.io/docs/specs/otlp/#otlphttp, https://www.w3.org/TR/trace-context/

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@opentelemetry/api';
import { errorFields, type FilesLog } from '../log.ts';
import type { SpanOptions, Tracing } from './tracing.ts';

export interface TelemetrySettings {
  /** Of a collector, such as `http://127.0.0.1:4318`; `/v1/traces` is added. */
  readonly endpoint: string;
  /** Default `stowage`. */
  readonly serviceName?: string;
  /** The share of traces begun here that is kept; those of callers are kept when they keep them. Default 1. */
  readonly sampleRatio?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Spans that wait to be sent; further ones are dropped. */
const maxWaitingSpans = 2_048;
const maxBatchSpans = 512;
const sendEveryMs = 5_000;
const sendTimeoutMs = 10_000;
const closeTimeoutMs = 3_000;

export async function openTracing(settings: TelemetrySettings, log: FilesLog): Promise<Tracing> {
  const [api, core, sdk, { resourceFromAttributes }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const exporter = new OTLPTraceExporter({
    url: `${settings.endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...settings.headers },
    timeoutMillis: sendTimeoutMs,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': settings.serviceName ?? 'stowage' }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(settings.sampleRatio ?? 1) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        maxQueueSize: maxWaitingSpans,
        maxExportBatchSize: maxBatchSpans,
        scheduledDelayMillis: sendEveryMs,
        exportTimeoutMillis: sendTimeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer('stowage');
  const propagator = new core.W3CTraceContextPropagator();
  const atHand = new AsyncLocalStorage<Context>();
  const kinds = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    internal: api.SpanKind.INTERNAL,
  } as const satisfies Record<SpanOptions['kind'], number>;

  function contextOf({ caller }: SpanOptions): Context {
    if (caller === undefined) return atHand.getStore() ?? api.ROOT_CONTEXT;
    return propagator.extract(api.ROOT_CONTEXT, caller, api.defaultTextMapGetter);
  }

  return {
    span: async (name, options, work) => {
      const parent = contextOf(options);
      const span = tracer.startSpan(name, { kind: kinds[options.kind], attributes: { ...options.attributes } }, parent);
      const { traceId } = span.spanContext();
      try {
        const told = { traceId, set: (attributes: object) => void span.setAttributes({ ...attributes }) };
        return await atHand.run(api.trace.setSpan(parent, span), () => work(told));
      } catch (error) {
        // The message may quote what was sent; its name says enough, and the log has the rest.
        span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
        span.setStatus({ code: api.SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    },

    headers: () => {
      const context = atHand.getStore();
      const headers: Record<string, string> = {};
      if (context !== undefined) propagator.inject(context, headers, api.defaultTextMapSetter);
      return headers;
    },

    close: async () => {
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(timer.resolve, closeTimeoutMs);
      const sent = provider.shutdown().catch((error: unknown) => {
        log.warn('The last traces could not be sent.', { endpoint: settings.endpoint, ...errorFields(error) });
      });
      await Promise.race([sent, timer.promise]);
      clearTimeout(timeout);
    },
  };
}
