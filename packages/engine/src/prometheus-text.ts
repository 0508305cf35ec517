// Lines of the text format that Prometheus reads (exposition format 0.0.4): a family is its help, its type, and its samples.
// Label values may be keys of objects, which may hold anything, so they are escaped.

interface Family {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export function counter(name: string, help: string, value: number): string[] {
  return family('counter', { name, help, samples: [{ labels: {}, value }] });
}

export function gauge(name: string, help: string, value: number): string[] {
  return gauges({ name, help, samples: [{ labels: {}, value }] });
}

/** One gauge for each set of labels; nothing at all without samples. */
export function gauges(gaugeFamily: Family): string[] {
  return family('gauge', gaugeFamily);
}

function family(type: 'counter' | 'gauge', { name, help, samples }: Family): string[] {
  if (samples.length === 0) return [];
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const { labels, value } of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(String(text))}"`);
    lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
  }
  return lines;
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
