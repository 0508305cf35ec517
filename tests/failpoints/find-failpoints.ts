// The failpoints of the file service: one behind each await that touches the database or S3, found in the syntax tree and put
// into the text when it is loaded. The product knows nothing of them.
//
// What touches either is decided by file: all awaits count in a file that imports from `database/` or `bucket/`, itself or
// through another file, types included, and in those that are handed a table or a bucket behind a smaller interface. So too
// many count rather than too few.
//
// A name is file, function, ordinal: `complete-upload:join:3` is the third await in what is named `join`.

import { readFile } from 'node:fs/promises';
import { posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { findFiles } from '../../scripts/find-files.ts';

/** The source in which failpoints stand. */
export const serviceSource: URL = new URL('../../packages/files/src/', import.meta.url);

/** What instrumented code calls, as a global. */
export const reached = '__stowageFailpointReached';
export const ahead = '__stowageFailpointAhead';

interface InstrumentedFile {
  /** From the source's root. */
  readonly path: string;
  readonly failpoints: readonly string[];
  /** TypeScript still, with the calls put in. No line moves. */
  readonly text: string;
}

/** Given a table or a bucket behind an interface of their own. */
const handedFolders = ['content/', 'events-in/'];
const touchedFolders = ['database/', 'bucket/'];

/** Every file that touches the database or S3, with its failpoints; by path. */
export async function instrumentService(): Promise<readonly InstrumentedFile[]> {
  const root = fileURLToPath(serviceSource);
  const texts = new Map<string, string>();
  for (const file of await findFiles(root)) {
    const path = relative(root, file).split(sep).join('/');
    if (!path.endsWith('.ts') || /\.(test|contract)\.ts$/.test(path) || path.startsWith('testing/')) continue;
    texts.set(path, await readFile(file, 'utf8'));
  }
  return [...touching(texts)].sort().flatMap((path) => {
    const instrumented = instrument(path, texts.get(path) ?? '');
    return instrumented.failpoints.length === 0 ? [] : [instrumented];
  });
}

/** Files that import from where the database and the bucket are, and those that import them. */
function touching(texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  const within = (path: string, folders: readonly string[]): boolean => folders.some((each) => path.startsWith(each));
  const found = new Set([...texts.keys()].filter((path) => within(path, [...touchedFolders, ...handedFolders])));
  const imports = new Map([...texts].map(([path, text]) => [path, importsOf(path, text)]));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [path, targets] of imports) if (targets.some((target) => found.has(target))) found.add(path);
  }
  return found;
}

function importsOf(path: string, text: string): readonly string[] {
  return [...text.matchAll(/from '(\.[^']+)'/g)].map(([, specifier = '']) =>
    posix.join(posix.dirname(path), specifier),
  );
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** One file with its failpoints. Exported for its own test. */
export function instrument(path: string, text: string): InstrumentedFile {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  const stem = path.replace(/\.ts$/, '');
  const counts = new Map<string, number>();
  const failpoints: string[] = [];
  const insertions: Insertion[] = [];

  function name(owner: string): string {
    const ordinal = (counts.get(owner) ?? 0) + 1;
    counts.set(owner, ordinal);
    const made = `${stem}:${owner}:${ordinal}`;
    failpoints.push(made);
    return JSON.stringify(made);
  }

  function visit(value: unknown, parent: Node | undefined, owner: string): void {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, parent, owner);
      return;
    }
    if (!isNode(value)) return;
    const own = isFunction(value) ? (nameOf(value, parent) ?? owner) : owner;
    if (value.type === 'AwaitExpression' && isNode(value.argument)) {
      const quoted = name(own);
      insertions.push({ at: value.start, text: `${reached}(${quoted}, ` });
      insertions.push({ at: value.argument.start, text: `(${ahead}(${quoted}), ` });
      insertions.push({ at: value.end, text: '))' });
    } else if (value.type === 'ForOfStatement' && value.await === true && isNode(value.right) && isNode(value.body)) {
      const quoted = name(own);
      const call = `${reached}(${quoted}, undefined);`;
      // Ahead of the first of its awaits.
      insertions.push({ at: value.right.start, text: `(${ahead}(${quoted}), ` });
      insertions.push({ at: value.right.end, text: ')' });
      if (value.body.type === 'BlockStatement') insertions.push({ at: value.body.start + 1, text: call });
      else {
        insertions.push({ at: value.body.start, text: `{${call}` });
        insertions.push({ at: value.body.end, text: '}' });
      }
    }
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child, value, own);
  }

  visit(program, undefined, 'module');
  return { path, failpoints, text: insert(text, insertions) };
}

function insert(text: string, insertions: readonly Insertion[]): string {
  let made = '';
  let from = 0;
  for (const { at, text: inserted } of insertions.toSorted((a, b) => a.at - b.at)) {
    made += text.slice(from, at) + inserted;
    from = at;
  }
  return made + text.slice(from);
}

function isFunction({ type }: Node): boolean {
  return type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression';
}

/** Of the function itself, or of what it is assigned to. */
function nameOf(node: Node, parent: Node | undefined): string | undefined {
  const left = isNode(parent?.left) ? parent.left : undefined;
  return nameIn(node.id) ?? nameIn(parent?.id) ?? nameIn(parent?.key) ?? nameIn(left) ?? nameIn(left?.property);
}

function nameIn(value: unknown): string | undefined {
  return isNode(value) && typeof value.name === 'string' ? value.name : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
