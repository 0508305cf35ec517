// What the service counts and measures, in Prometheus' text format (version 0.0.4). Names follow
// https://prometheus.io/docs/practices/naming: the unit last, in its base, and `_total` for what only rises.

interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

const metrics = {
  stowage_files_requests_total: { type: 'counter', help: 'Requests answered, by route and status.' },
  stowage_files_request_duration_seconds: {
    type: 'histogram',
    help: 'Time until a request was answered, by route. Requests that wait for a change of state are among them.',
  },
  stowage_files_requests_in_flight: { type: 'gauge', help: 'Requests that are being answered.' },
  stowage_files_received_bytes_total: {
    type: 'counter',
    help: 'Bytes of request bodies that came to the service itself. The bytes of files go to the bucket and are not among them.',
  },
  stowage_files_files: { type: 'gauge', help: 'Files and uploads on their way, by state.' },
  stowage_files_moves_total: { type: 'counter', help: 'Changes of state, by the state that was reached.' },
  stowage_files_outbox_jobs: { type: 'gauge', help: 'Jobs that wait, whether due or not.' },
  stowage_files_outbox_due_jobs: { type: 'gauge', help: 'Jobs that wait although they are due.' },
  stowage_files_outbox_lag_seconds: { type: 'gauge', help: 'For how long the job has waited that is due the longest.' },
  stowage_files_jobs_total: { type: 'counter', help: 'Jobs, by kind and what became of them.' },
  stowage_files_job_duration_seconds: { type: 'histogram', help: 'Time that jobs took, by kind.' },
  stowage_files_reconciles_total: {
    type: 'counter',
    help: 'Looks at the bucket on behalf of an upload, by whether the row followed.',
  },
  stowage_files_reconcile_findings_total: {
    type: 'counter',
    help: 'What comparing bucket and database found, by kind and what was done about it.',
  },
  stowage_files_missing: { type: 'gauge', help: 'Files that are ready and whose bytes the bucket no longer has.' },
  stowage_files_scan_queue_files: { type: 'gauge', help: 'Files whose bytes are there and were not judged yet.' },
  stowage_files_scans_total: { type: 'counter', help: 'Files given to the scanner, by verdict.' },
  stowage_files_scan_duration_seconds: { type: 'histogram', help: 'Time that the scanner took for a file.' },
  stowage_files_webhook_deliveries: {
    type: 'gauge',
    help: 'Deliveries of webhooks that are kept, by state; dead ones were given up and can be replayed.',
  },
  stowage_files_webhook_deliveries_total: {
    type: 'counter',
    help: 'Tries to deliver a webhook, by what became of them.',
  },
  stowage_files_storage_requests_total: {
    type: 'counter',
    help: 'Requests to the bucket, by operation and outcome; refused are those that an open circuit kept back, abandoned those that whoever asked gave up.',
  },
  stowage_files_storage_request_duration_seconds: {
    type: 'histogram',
    help: 'Time that the bucket took to answer, by operation; each try is one.',
  },
  stowage_files_storage_retries_total: { type: 'counter', help: 'Requests to the bucket that were tried again.' },
  stowage_files_storage_circuit: {
    type: 'gauge',
    help: 'Whether the bucket is asked: 0 closed (it is), 1 half-open (one request tries), 2 open (it is not).',
  },
  stowage_files_storage_clock_offset_seconds: {
    type: 'gauge',
    help: 'How far the clock of the bucket’s endpoint is ahead of this machine’s; S3 takes 900 either way.',
  },
  stowage_files_storage_events_total: {
    type: 'counter',
    help: 'What endpoints told of the bucket, by what it was worth.',
  },
  stowage_files_storage_messages_total: { type: 'counter', help: 'Messages of a queue, by what became of them.' },
  stowage_files_database_duration_seconds: {
    type: 'histogram',
    help: 'Time of reads and of transactions of the database, waiting for a connection included.',
  },
  stowage_files_database_failures_total: { type: 'counter', help: 'Reads and transactions that failed.' },
  process_start_time_seconds: { type: 'gauge', help: 'When the process started, in seconds since 1970.' },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the process.' },
  process_cpu_seconds_total: { type: 'counter', help: 'CPU time of the process, of user and system.' },
} as const satisfies Record<string, MetricRow>;

type MetricName = keyof typeof metrics;
type OfType<Type extends MetricRow['type']> = {
  [Name in MetricName]: (typeof metrics)[Name]['type'] extends Type ? Name : never;
}[MetricName];
type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  add(name: OfType<'counter' | 'gauge'>, amount: number, labels?: Labels): void;
  set(name: OfType<'counter' | 'gauge'>, value: number, labels?: Labels): void;
  /** One measurement, in seconds. */
  observe(name: OfType<'histogram'>, seconds: number, labels?: Labels): void;
  /** Forgets the values of a gauge whose labels come and go. */
  clear(name: OfType<'gauge'>): void;
  render(): string;
}

/** Upper bounds, in seconds: from a row of SQLite to a bucket that joins parts. */
const bucketBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** All label values are of closed sets (routes, states, kinds): there is nothing to escape and nothing to bound. */
export function openMetrics(): Metrics {
  const values = new Map<string, Map<string, number>>();
  const histograms = new Map<string, Map<string, Histogram>>();

  function series(name: MetricName): Map<string, number> {
    const known = values.get(name) ?? new Map<string, number>();
    values.set(name, known);
    return known;
  }

  function renderHistogram(name: string): string {
    let text = '';
    for (const [pairs, { counts, sum, count }] of histograms.get(name) ?? []) {
      let below = 0;
      const line = (suffix: string, labels: string, value: number): string =>
        `${name}${suffix}${braced(labels)} ${value}\n`;
      for (const [index, bound] of bucketBounds.entries()) {
        below += counts[index] ?? 0;
        text += line('_bucket', joined(pairs, `le="${bound}"`), below);
      }
      text +=
        line('_bucket', joined(pairs, 'le="+Inf"'), count) + line('_sum', pairs, sum) + line('_count', pairs, count);
    }
    return text;
  }

  series('stowage_files_received_bytes_total').set('', 0);
  return {
    add: (name, amount, labels = {}) => {
      const label = labelPairs(labels);
      series(name).set(label, (series(name).get(label) ?? 0) + amount);
    },
    set: (name, value, labels = {}) => {
      series(name).set(labelPairs(labels), value);
    },
    observe: (name, seconds, labels = {}) => {
      const pairs = labelPairs(labels);
      const known = histograms.get(name) ?? new Map<string, Histogram>();
      histograms.set(name, known);
      const histogram = known.get(pairs) ?? { counts: bucketBounds.map(() => 0), sum: 0, count: 0 };
      known.set(pairs, histogram);
      const index = bucketBounds.findIndex((bound) => seconds <= bound);
      if (index >= 0) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
      histogram.sum += seconds;
      histogram.count += 1;
    },
    clear: (name) => {
      values.delete(name);
    },
    render: () => {
      let text = '';
      for (const [name, { type, help }] of Object.entries<MetricRow>(metrics)) {
        text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
        if (type === 'histogram') text += renderHistogram(name);
        else for (const [pairs, value] of values.get(name) ?? []) text += `${name}${braced(pairs)} ${value}\n`;
      }
      return text;
    },
  };
}

function labelPairs(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');
}

function joined(pairs: string, pair: string): string {
  return pairs === '' ? pair : `${pairs},${pair}`;
}

function braced(pairs: string): string {
  return pairs === '' ? '' : `{${pairs}}`;
}
