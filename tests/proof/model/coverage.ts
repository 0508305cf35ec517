// How often each command and each change of state was met.

export class Coverage {
  readonly #counts = new Map<string, number>();
  readonly #transitions = new Map<string, number>();

  count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  moved(from: string, to: string): void {
    const name = `${from} → ${to}`;
    this.#transitions.set(name, (this.#transitions.get(name) ?? 0) + 1);
  }

  get commands(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  get transitions(): ReadonlyMap<string, number> {
    return this.#transitions;
  }

  /** A line for each command with its answers, then one for each change of state. */
  render(): string {
    const byKind = new Map<string, string[]>();
    for (const [name, count] of [...this.#counts].sort()) {
      const [, kind = name, status = ''] = /^(.*?)(?: (\d{3}))?$/.exec(name) ?? [];
      byKind.set(kind, [...(byKind.get(kind) ?? []), `${status}${status === '' ? '' : ' × '}${count}`]);
    }
    const commands = [...byKind].map(([kind, answers]) => `  ${kind.padEnd(24)} ${answers.join(', ')}`);
    const moves = [...this.#transitions].sort().map(([name, count]) => `  ${name.padEnd(24)} ${count}`);
    return ['Commands, by answer:', ...commands, 'Changes of state:', ...moves].join('\n');
  }
}
