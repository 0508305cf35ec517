// Reads the XML that S3 clients send: elements and text, nothing more. XML 1.0 (fifth edition) without a DTD: a DOCTYPE is
// refused, so no entity but the five predefined ones exists and nothing can be expanded or fetched.
// Namespaces are tolerated and dropped (names are local names); attributes are checked for form and dropped; comments and
// processing instructions are skipped. One leniency: `&#x1;` and the like are read although XML 1.0 forbids them, because S3
// writes keys that way itself.
// Own code: a reader of the whole language cannot be told to read those, and takes two to three times as long for the 10,000
// parts of one completion, while every other request on the thread waits (bench/xml.ts).

import { S3Error } from './errors.ts';

/** An element: what is in it and nothing about where it stood. */
export interface XmlElement {
  /** Without a namespace prefix. */
  readonly name: string;
  /** All text directly in it, entities resolved, white space kept. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** What a document may have at most. */
export interface XmlLimits {
  /** @default 1 MiB */
  readonly maxBytes?: number;
  /** How deep elements may be nested. @default 16 */
  readonly maxDepth?: number;
  /** @default 100,000 */
  readonly maxElements?: number;
}

/**
 * The root element of a document, which must be named `rootName`.
 * @throws S3Error `MalformedXML` with the place of the fault, `MaxMessageLengthExceeded` beyond `maxBytes`.
 */
export function readXml(bytes: Uint8Array, rootName: string, limits: XmlLimits = {}): XmlElement {
  const { maxBytes = 1024 * 1024 } = limits;
  if (bytes.length > maxBytes) {
    throw new S3Error('MaxMessageLengthExceeded', undefined, {
      details: { MaxMessageLengthBytes: String(maxBytes) },
    });
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new S3Error('MalformedXML', 'The document is not UTF-8.', { cause });
  }
  const root = new Parser(text, limits).document();
  if (root.name !== rootName) throw malformed(`The document is a ${root.name}, expected was a ${rootName}.`);
  return root;
}

/** The first child of that name. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  for (const candidate of element.children) if (candidate.name === name) return candidate;
  return undefined;
}

/** The text of the first child of that name, without white space around it; `undefined` without such a child. */
export function childText(element: XmlElement, name: string): string | undefined {
  return child(element, name)?.text.trim();
}

/** The text of every child of that name, without white space around it. */
export function childTexts(element: XmlElement, name: string): string[] {
  return element.children.filter((candidate) => candidate.name === name).map((candidate) => candidate.text.trim());
}

/** Refuses children that the document does not have. @throws S3Error `MalformedXML`. */
export function checkChildren(element: XmlElement, allowed: readonly string[]): void {
  for (const { name } of element.children) {
    if (!allowed.includes(name)) throw malformed(`${element.name} holds ${name}; allowed are ${allowed.join(', ')}.`);
  }
}

/** The error for a document that is not what it should be. */
export function malformed(reason: string): S3Error {
  return new S3Error(
    'MalformedXML',
    `The XML you provided was not well-formed or did not validate against our published schema. ${reason}`,
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

const nameAt = /[A-Za-z_:\u0080-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd][\w:.\-\u0080-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]*/y;
const attributeAt = /\s+([A-Za-z_:\u0080-\ufffd][\w:.\-\u0080-\ufffd]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const spaceAt = /[ \t\r\n]*/y;
const declarationAt =
  /<\?xml\s+version\s*=\s*(["'])1\.[01]\1(?:\s+encoding\s*=\s*(["'])([A-Za-z][\w.-]*)\2)?(?:\s+standalone\s*=\s*(["'])(?:yes|no)\4)?\s*\?>/y;
// What text may not hold: `]]>`, and characters that XML 1.0 lacks.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const unreadable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\]\]>/;

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: OpenElement[];
}

class Parser {
  readonly #source: string;
  readonly #maxDepth: number;
  readonly #maxElements: number;
  #at = 0;

  constructor(source: string, limits: XmlLimits) {
    this.#source = source;
    this.#maxDepth = limits.maxDepth ?? 16;
    this.#maxElements = limits.maxElements ?? 100_000;
  }

  document(): XmlElement {
    this.#declaration();
    this.#skipBetween();
    const root = this.#root();
    this.#skipBetween();
    if (this.#at < this.#source.length) throw this.#fault('there is more after the root element');
    return root;
  }

  #declaration(): void {
    if (!this.#source.startsWith('<?xml') || !/\s/.test(this.#source.charAt(5))) return;
    const match = this.#match(declarationAt);
    if (match === null) throw this.#fault('the XML declaration is not one');
    const encoding = match[3]?.toLowerCase();
    if (encoding !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(encoding)) {
      throw this.#fault(`the encoding ${encoding} is not UTF-8`);
    }
  }

  /** White space, comments and processing instructions around the root. */
  #skipBetween(): void {
    for (;;) {
      this.#match(spaceAt);
      if (this.#source.startsWith('<!--', this.#at)) this.#comment();
      else if (this.#source.startsWith('<?', this.#at)) this.#instruction();
      else return;
    }
  }

  /** The root and all in it, with a stack of its own: a deep document must not exhaust the call stack. */
  #root(): OpenElement {
    const source = this.#source;
    if (source.startsWith('<!DOCTYPE', this.#at)) throw this.#fault('a DOCTYPE is not accepted');
    if (source[this.#at] !== '<') throw this.#fault('an element was expected');
    const open: { readonly element: OpenElement; readonly qualifiedName: string }[] = [];
    let elements = 0;
    for (;;) {
      const current = open.at(-1);
      if (current !== undefined) this.#text(current.element);
      const next = source.charCodeAt(this.#at + 1);
      if (next === 0x2f && current !== undefined) {
        this.#closeTag(current.qualifiedName);
        open.pop();
        if (open.length === 0) return current.element;
      } else if (next === 0x21 && current !== undefined) this.#markup(current.element);
      else if (next === 0x3f && current !== undefined) this.#instruction();
      else {
        elements += 1;
        if (elements > this.#maxElements) throw this.#fault(`more than ${this.#maxElements} elements`);
        const { element, qualifiedName, isEmpty } = this.#openTag();
        current?.element.children.push(element);
        if (isEmpty && current === undefined) return element;
        if (!isEmpty) open.push({ element, qualifiedName });
        if (open.length > this.#maxDepth) throw this.#fault(`more than ${this.#maxDepth} levels`);
      }
    }
  }

  #openTag(): { element: OpenElement; qualifiedName: string; isEmpty: boolean } {
    this.#at += 1;
    const qualifiedName = this.#name();
    if (this.#source.charCodeAt(this.#at) !== 0x3e) this.#attributes();
    const isEmpty = this.#source.charCodeAt(this.#at) === 0x2f;
    if (isEmpty) this.#at += 1;
    this.#expect('>');
    const colon = qualifiedName.indexOf(':');
    const name = colon === -1 ? qualifiedName : qualifiedName.slice(colon + 1);
    return { element: { name, text: '', children: [] }, qualifiedName, isEmpty };
  }

  #name(): string {
    const match = this.#match(nameAt);
    if (match === null) throw this.#fault('a name was expected after <');
    return match[0];
  }

  #attributes(): void {
    const seen = new Set<string>();
    for (;;) {
      const match = this.#match(attributeAt);
      if (match === null) break;
      const [, name = '', doubleQuoted, singleQuoted] = match;
      if (seen.has(name)) throw this.#fault(`the attribute ${name} stands twice`);
      seen.add(name);
      this.#resolve(doubleQuoted ?? singleQuoted ?? '');
    }
    this.#match(spaceAt);
  }

  #closeTag(qualifiedName: string): void {
    const source = this.#source;
    const nameFrom = this.#at + 2;
    if (!source.startsWith(qualifiedName, nameFrom)) throw this.#fault(`</${qualifiedName}> was expected`);
    this.#at = nameFrom + qualifiedName.length;
    if (source.charCodeAt(this.#at) !== 0x3e) this.#match(spaceAt);
    this.#expect('>');
  }

  /** Text up to the next `<`. */
  #text(element: OpenElement): void {
    const from = this.#at;
    const to = this.#source.indexOf('<', from);
    if (to === -1) throw this.#fault(`</${element.name}> is missing`);
    if (to > from) element.text += this.#resolve(this.#source.slice(from, to));
    this.#at = to;
  }

  /** What begins with `<!` inside an element: a comment or a CDATA section. */
  #markup(element: OpenElement): void {
    if (this.#source.startsWith('<!--', this.#at)) {
      this.#comment();
      return;
    }
    if (!this.#source.startsWith('<![CDATA[', this.#at)) throw this.#fault('a declaration is not accepted here');
    const from = this.#at + 9;
    const to = this.#source.indexOf(']]>', from);
    if (to === -1) throw this.#fault('a CDATA section has no end');
    const data = normalizeLineEnds(this.#source.slice(from, to));
    if (unreadable.test(data)) throw this.#fault('a character is not allowed');
    element.text += data;
    this.#at = to + 3;
  }

  #comment(): void {
    const end = this.#source.indexOf('--', this.#at + 4);
    if (end === -1 || this.#source[end + 2] !== '>') throw this.#fault('a comment has no end, or -- inside');
    this.#at = end + 3;
  }

  #instruction(): void {
    const end = this.#source.indexOf('?>', this.#at + 2);
    if (end === -1) throw this.#fault('a processing instruction has no end');
    this.#at += 2;
    const target = this.#match(nameAt)?.[0];
    if (target === undefined || target.toLowerCase() === 'xml')
      throw this.#fault('a processing instruction has no name');
    this.#at = end + 2;
  }

  /** Text as it is meant: line ends normalized (XML 1.0, 2.11), references replaced. */
  #resolve(text: string): string {
    const normalized = normalizeLineEnds(text);
    if (unreadable.test(normalized)) throw this.#fault('a character is not allowed, or ]]> stands in text');
    let ampersand = normalized.indexOf('&');
    if (ampersand === -1) return normalized;
    let resolved = '';
    let from = 0;
    while (ampersand !== -1) {
      const end = normalized.indexOf(';', ampersand);
      const reference = normalized.slice(ampersand + 1, end === -1 ? undefined : end);
      const character = end === -1 ? undefined : (predefined.get(reference) ?? resolveNumber(reference));
      if (character === undefined) throw this.#fault(`the reference &${reference.slice(0, 20)} is not known`);
      resolved += normalized.slice(from, ampersand) + character;
      from = end + 1;
      ampersand = normalized.indexOf('&', from);
    }
    return resolved + normalized.slice(from);
  }

  #expect(character: string): void {
    if (this.#source[this.#at] !== character) throw this.#fault(`${character} was expected`);
    this.#at += 1;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #fault(reason: string): S3Error {
    return malformed(`At character ${this.#at}: ${reason}.`);
  }
}

function normalizeLineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

const predefined: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** The character of `#65` or `#x41`; `undefined` when there is none. */
function resolveNumber(reference: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(reference);
  if (match === null) return undefined;
  const codePoint = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  const isCharacter = codePoint > 0 && codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  return isCharacter ? String.fromCodePoint(codePoint) : undefined;
}
