// Decodes a multipart/form-data body as it arrives: fields whole, the file piece by piece and never kept.
// Spec: RFC 7578 and RFC 2046 section 5.1, and the form submission of the HTML standard for how names are escaped.
// As S3 has it, the part named `file` is the file, and it ends the form: what follows it is read and dropped.

import { S3Error } from '@stowage/s3';

export type FormEvent =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  /** From here on every piece belongs to the file. */
  | { readonly kind: 'file'; readonly fileName: string; readonly contentType: string | undefined }
  | { readonly kind: 'data'; readonly bytes: Uint8Array };

/** The header lines of one part. */
const maxPartHeaderBytes = 8 * 1024;
const maxBoundaryCharacters = 70;

/** The boundary that a Content-Type names. @throws S3Error `MalformedPOSTRequest`. */
export function parseBoundary(contentType: string | undefined): string {
  const match = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType ?? '');
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined || boundary.length > maxBoundaryCharacters) {
    throw malformed('the Content-Type names no boundary of 1 to 70 characters');
  }
  return boundary;
}

type State =
  /** Before the first delimiter. */
  | 'preamble'
  /** Right after a delimiter: a line end, or two hyphens. */
  | 'delimiter'
  | 'part-headers'
  | 'field'
  | 'file'
  /** In a part that comes after the file. */
  | 'ignored'
  | 'done';

export class FormDecoder {
  readonly #delimiter: Buffer;
  readonly #maxFieldsBytes: number;
  #state: State = 'preamble';
  // The first delimiter may stand at the very beginning: as if a line had ended before.
  #rest: Buffer = Buffer.from('\r\n');
  #fieldName = '';
  #field: Buffer[] = [];
  #fieldsBytes = 0;
  #fileSeen = false;

  constructor(options: { readonly boundary: string; readonly maxFieldsBytes: number }) {
    this.#delimiter = Buffer.from(`\r\n--${options.boundary}`, 'latin1');
    this.#maxFieldsBytes = options.maxFieldsBytes;
  }

  /** @throws S3Error `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded`. */
  push(chunk: Uint8Array): readonly FormEvent[] {
    const events: FormEvent[] = [];
    let rest = this.#rest.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const taken = this.#step(rest, events);
      if (taken === undefined) break;
      rest = rest.subarray(taken);
    }
    // A copy: the chunk is its giver's again. What is left is shorter than a delimiter or the headers of one part.
    this.#rest = Buffer.from(rest);
    return events;
  }

  /** Says that the body has ended. @throws S3Error `MalformedPOSTRequest` when the form has not. */
  end(): void {
    if (this.#state !== 'done') throw malformed('the body ended before its last delimiter');
  }

  /** Takes one thing; how many bytes it had, or `undefined` when more must come first. */
  #step(bytes: Buffer, events: FormEvent[]): number | undefined {
    switch (this.#state) {
      case 'done':
        return bytes.length === 0 ? undefined : bytes.length;
      case 'delimiter':
        return this.#takeDelimiterEnd(bytes);
      case 'part-headers':
        return this.#takeHeaders(bytes, events);
      default:
        return this.#takeContent(bytes, events);
    }
  }

  #takeContent(bytes: Buffer, events: FormEvent[]): number | undefined {
    const at = bytes.indexOf(this.#delimiter);
    if (at === -1) {
      const end = safeEnd(bytes, this.#delimiter);
      if (end === 0) return undefined;
      this.#content(bytes.subarray(0, end), events);
      return end;
    }
    if (at > 0) this.#content(bytes.subarray(0, at), events);
    if (this.#state === 'field') {
      events.push({ kind: 'field', name: this.#fieldName, value: decodeText(Buffer.concat(this.#field)) });
      this.#field = [];
    }
    this.#state = 'delimiter';
    return at + this.#delimiter.length;
  }

  #content(bytes: Buffer, events: FormEvent[]): void {
    if (this.#state === 'file') {
      events.push({ kind: 'data', bytes });
      return;
    }
    if (this.#fileSeen) return;
    this.#countFields(bytes.length);
    // Kept beyond this chunk, whose memory is the socket's.
    if (this.#state === 'field') this.#field.push(Buffer.from(bytes));
  }

  #takeDelimiterEnd(bytes: Buffer): number | undefined {
    // "transport padding": white space that a gateway may have added after the delimiter.
    let at = 0;
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at += 1;
    if (at > maxBoundaryCharacters) throw malformed('a delimiter is followed by too much white space');
    if (bytes.length < at + 2) return undefined;
    const mark = bytes.toString('latin1', at, at + 2);
    if (mark === '--') this.#state = 'done';
    else if (mark === '\r\n') this.#state = 'part-headers';
    else throw malformed('a delimiter is not followed by a line end');
    // The line end is kept: it is the empty line of a part without headers.
    return mark === '--' ? at + 2 : at;
  }

  #takeHeaders(bytes: Buffer, events: FormEvent[]): number | undefined {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1 || end > maxPartHeaderBytes) {
      if (bytes.length > maxPartHeaderBytes)
        throw malformed(`the headers of a part exceed ${maxPartHeaderBytes} bytes`);
      return undefined;
    }
    if (!this.#fileSeen) this.#countFields(end);
    const { name, fileName, contentType } = parsePartHeaders(decodeText(bytes.subarray(2, Math.max(2, end))));
    if (this.#fileSeen) this.#state = 'ignored';
    else if (name.toLowerCase() === 'file') {
      this.#state = 'file';
      this.#fileSeen = true;
      events.push({ kind: 'file', fileName, contentType });
    } else {
      this.#state = 'field';
      this.#fieldName = name;
    }
    return end + 4;
  }

  #countFields(bytes: number): void {
    this.#fieldsBytes += bytes;
    if (this.#fieldsBytes <= this.#maxFieldsBytes) return;
    throw new S3Error('MaxPostPreDataLengthExceeded', undefined, {
      details: { MaxPostPreDataLengthBytes: String(this.#maxFieldsBytes) },
    });
  }
}

/** How many bytes can be no part of a delimiter that is still to come. */
function safeEnd(bytes: Buffer, delimiter: Buffer): number {
  let at = Math.max(0, bytes.length - delimiter.length + 1);
  while (at < bytes.length) {
    at = bytes.indexOf(0x0d, at);
    if (at === -1) return bytes.length;
    if (delimiter.subarray(0, bytes.length - at).equals(bytes.subarray(at))) return at;
    at += 1;
  }
  return bytes.length;
}

interface PartHeaders {
  readonly name: string;
  readonly fileName: string;
  readonly contentType: string | undefined;
}

function parsePartHeaders(text: string): PartHeaders {
  let disposition: string | undefined;
  let contentType: string | undefined;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const header = line.slice(0, colon).trim().toLowerCase();
    if (header === 'content-disposition') disposition = line.slice(colon + 1);
    else if (header === 'content-type') contentType = line.slice(colon + 1).trim();
  }
  if (disposition === undefined || !/^\s*form-data\s*(;|$)/i.test(disposition)) {
    throw malformed('a part has no Content-Disposition of form-data');
  }
  const name = parameter(disposition, 'name');
  if (name === undefined) throw malformed('a part has no name');
  return { name, fileName: parameter(disposition, 'filename') ?? '', contentType };
}

/** A backslash escapes a quote only: old browsers send whole Windows paths as they are. */
function parameter(disposition: string, wanted: string): string | undefined {
  for (const [, name, quoted, bare] of disposition.matchAll(
    /;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g,
  )) {
    if (name?.toLowerCase() !== wanted) continue;
    const value = quoted === undefined ? (bare ?? '') : quoted.replaceAll('\\"', '"');
    return value.replace(/%0A|%0D|%22/gi, (sequence) => String.fromCharCode(Number.parseInt(sequence.slice(1), 16)));
  }
  return undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new S3Error('MalformedPOSTRequest', 'A field of the form is not UTF-8.', { cause });
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function malformed(problem: string): S3Error {
  return new S3Error(
    'MalformedPOSTRequest',
    `The body of your POST request is not well-formed multipart/form-data: ${problem}.`,
  );
}
