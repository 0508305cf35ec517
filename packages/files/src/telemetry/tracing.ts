// Spans: what was done for a request or a job, within what, and how long it took. Off unless a collector was named; then nothing is
// measured and nothing of OpenTelemetry is loaded (open-tracing.ts is).

type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** The words of OpenTelemetry: what comes in, what goes out, and what is done here. */
type SpanKind = 'server' | 'client' | 'internal';

export interface SpanOptions {
  readonly kind: SpanKind;
  readonly attributes?: SpanAttributes;
  /** The `traceparent` and `tracestate` of a caller, whose trace it goes on with. Default: within the span at hand. */
  readonly caller?: Readonly<Record<string, string | undefined>>;
}

interface Span {
  /** 32 hex digits. */
  readonly traceId: string | undefined;
  set(attributes: SpanAttributes): void;
}

export interface Tracing {
  /** Runs the work within a span, which ends with it; what it throws is noted and thrown on. */
  span<Result>(name: string, options: SpanOptions, work: (span: Span) => Promise<Result>): Promise<Result>;
  /** Headers by which whoever is asked next goes on with the trace at hand; none when there is none. */
  headers(): Readonly<Record<string, string>>;
  /** Sends what was not sent yet, for a few seconds at most. */
  close(): Promise<void>;
}

const noSpan: Span = { traceId: undefined, set: () => undefined };

export const noTracing: Tracing = {
  span: (_name, _options, work) => work(noSpan),
  headers: () => ({}),
  close: async () => undefined,
};
