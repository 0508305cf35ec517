// What the service counts, in Prometheus' text format (version 0.0.4).

interface MetricRow {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

const metrics = {
  stowage_files_received_bytes_total: {
    type: 'counter',
    help: 'Bytes of request bodies that came to the service itself. The bytes of files go to the bucket and are not among them.',
  },
  stowage_files_requests_total: { type: 'counter', help: 'Requests answered, by route and status.' },
  stowage_files_moves_total: { type: 'counter', help: 'Changes of state, by the state that was reached.' },
  stowage_files_jobs_total: { type: 'counter', help: 'Jobs, by kind and what became of them.' },
  stowage_files_webhook_deliveries_total: {
    type: 'counter',
    help: 'Tries to deliver a webhook, by what became of them.',
  },
  stowage_files_storage_requests_total: {
    type: 'counter',
    help: 'Requests to the bucket, by operation and outcome; refused are those that an open circuit kept back.',
  },
  stowage_files_storage_retries_total: { type: 'counter', help: 'Requests to the bucket that were tried again.' },
  stowage_files_storage_circuit: {
    type: 'gauge',
    help: 'Whether the bucket is asked: 0 closed (it is), 1 half-open (one request tries), 2 open (it is not).',
  },
  stowage_files_storage_events_total: {
    type: 'counter',
    help: 'What endpoints told of the bucket, by what it was worth.',
  },
  stowage_files_storage_messages_total: { type: 'counter', help: 'Messages of a queue, by what became of them.' },
  stowage_files_files: { type: 'gauge', help: 'Files, by state.' },
  stowage_files_outbox_jobs: { type: 'gauge', help: 'Jobs that wait, whether due or not.' },
} as const satisfies Record<string, MetricRow>;

type MetricName = keyof typeof metrics;
type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  add(name: MetricName, amount: number, labels?: Labels): void;
  set(name: MetricName, value: number, labels?: Labels): void;
  /** Forgets the values of a gauge whose labels come and go. */
  clear(name: MetricName): void;
  render(): string;
}

/** All label values are of closed sets (routes, states, kinds): there is nothing to escape and nothing to bound. */
export function openMetrics(): Metrics {
  const values = new Map<MetricName, Map<string, number>>();

  function series(name: MetricName): Map<string, number> {
    const known = values.get(name) ?? new Map<string, number>();
    values.set(name, known);
    return known;
  }

  series('stowage_files_received_bytes_total').set('', 0);
  return {
    add: (name, amount, labels = {}) => {
      const label = labelText(labels);
      series(name).set(label, (series(name).get(label) ?? 0) + amount);
    },
    set: (name, value, labels = {}) => {
      series(name).set(labelText(labels), value);
    },
    clear: (name) => {
      values.delete(name);
    },
    render: () => {
      let text = '';
      for (const [name, { type, help }] of Object.entries(metrics)) {
        text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
        // Object.entries of the table gives the table's own names.
        for (const [label, value] of values.get(name as MetricName) ?? []) text += `${name}${label} ${value}\n`;
      }
      return text;
    },
  };
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
