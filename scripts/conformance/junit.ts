// The results of a pytest run, from the JUnit file that it writes. Only the shape pytest writes is read.

export interface TestOutcome {
  readonly file: string;
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** The last line of what went wrong, or why it was skipped. */
  readonly message: string;
  readonly seconds: number;
}

export function parseJunit(document: string): readonly TestOutcome[] {
  const outcomes = new Map<string, TestOutcome>();
  for (const match of document.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const attributes = match[1] ?? '';
    const inside = match[2] ?? '';
    const file = attribute(attributes, 'classname').split('.').at(-1) ?? '';
    const name = attribute(attributes, 'name');
    const found = /<(failure|error|skipped) ([^>]*)/.exec(inside);
    const status = found === null ? 'passed' : found[1] === 'skipped' ? 'skipped' : 'failed';
    const message = found === null ? '' : (attribute(found[2] ?? '', 'message').split('\n')[0] ?? '');
    const outcome: TestOutcome = { file, name, status, message, seconds: Number(attribute(attributes, 'time')) };
    // A test that passes and whose clean-up then fails is written twice.
    const before = outcomes.get(`${file}/${name}`);
    if (before === undefined || before.status === 'passed') outcomes.set(`${file}/${name}`, outcome);
  }
  return [...outcomes.values()];
}

function attribute(text: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1] ?? '';
  return value
    .replaceAll('&#10;', '\n')
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
