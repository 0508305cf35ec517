// The unknown at the edge, parsed once: body, query and headers of a request, each with a limit.

import { noQuerySchema, type Route, requestFaults, shownName } from '@stowage/contract';
import { FilesError } from '../files-error.ts';

/** What a schema of the contract does; zod's own type is not needed here. */
type Schema = NonNullable<Route['body']>;

/** Of the name of a parameter. */
const maxShownCharacters = 80;

interface ReadBodyOptions {
  readonly maxBytes: number;
  /** Told of every byte that came. */
  readonly onBytes: (sizeBytes: number) => void;
}

/** A JSON body, checked against the schema; `undefined` where the route takes none: then nothing is read. */
export async function readBody(
  request: Request,
  schema: Schema | undefined,
  options: ReadBodyOptions,
): Promise<unknown> {
  if (schema === undefined) return undefined;
  const type = request.headers.get('content-type') ?? '';
  const bytes = await readBytes(request, options);
  // A page of another site can send text/plain without asking first; JSON it cannot.
  if (bytes.length > 0 && !/^application\/([a-z.-]+\+)?json\b/i.test(type)) {
    throw new FilesError('invalid-request', {
      detail: `The body came as ${type === '' ? 'no type at all' : type}; send application/json.`,
    });
  }
  let value: unknown;
  let text: string;
  try {
    // A body where every field may be left out may be left out itself.
    text = bytes.length === 0 ? '{}' : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new FilesError('invalid-request', { detail: 'The body is not JSON.', cause });
  }
  if (text.includes('\\u0000')) refuseNul(value, 'body');
  return check(schema, value, 'body');
}

/** `undefined` where the route takes none. What it does not know is refused: a filter that is misspelt would show too much. */
export function readQuery(url: URL, schema: Schema | undefined): unknown {
  const given = Object.fromEntries(url.searchParams);
  refuseNul(given, 'query');
  refuseRepeated(url);
  const query = check(schema ?? noQuerySchema, given, 'query');
  return schema === undefined ? undefined : query;
}

/** The `{…}` of a path. Throws `not-found` for a NUL character, which no id holds and PostgreSQL cannot keep. */
export function readParameters(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (Object.values(parameters).some((value) => value.includes('\0'))) {
    throw new FilesError('not-found', { detail: 'The address holds a NUL character.' });
  }
  return parameters;
}

/** `undefined` when the header is absent. */
export function readIdempotencyKey(headers: Headers): string | undefined {
  const key = headers.get('idempotency-key') ?? undefined;
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new FilesError('invalid-request', { detail: 'Idempotency-Key must be 1 to 255 visible ASCII characters.' });
  }
  return key;
}

async function readBytes(request: Request, { maxBytes, onBytes }: ReadBodyOptions): Promise<Uint8Array> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > maxBytes) throw tooLarge(`${announced} bytes were announced`, maxBytes);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body) {
    sizeBytes += chunk.byteLength;
    onBytes(chunk.byteLength);
    if (sizeBytes > maxBytes) throw tooLarge(`more than ${maxBytes} bytes came`, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function check(schema: Schema, value: unknown, place: 'body' | 'query'): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = requestFaults({ schema, value, error: parsed.error, place });
  const [first] = errors;
  if (first === undefined) throw new FilesError('invalid-request', { detail: `The ${place} is not as expected.` });
  const end = first.message.endsWith('?') ? '' : '.';
  throw new FilesError('invalid-request', { detail: `${first.path}: ${first.message}${end}`, errors });
}

/** Of two values of one name, one would be passed over without a word. */
function refuseRepeated(url: URL): void {
  for (const name of new Set(url.searchParams.keys())) {
    const { length } = url.searchParams.getAll(name);
    if (length === 1) continue;
    throw new FilesError('invalid-request', {
      detail: `A parameter of the query came ${length} times; it is taken once.`,
      errors: [{ path: `query.${shownName(name.slice(0, maxShownCharacters))}`, message: `it came ${length} times` }],
    });
  }
}

/** PostgreSQL keeps no text with a NUL character in it; so nothing here may hold one. */
function refuseNul(value: unknown, place: string): void {
  const holds = (part: unknown): boolean => {
    if (typeof part === 'string') return part.includes('\0');
    if (typeof part !== 'object' || part === null) return false;
    return Object.entries(part).some(([name, item]) => name.includes('\0') || holds(item));
  };
  if (holds(value))
    throw new FilesError('invalid-request', { detail: `The ${place} holds a NUL character. Take it out.` });
}

function tooLarge(came: string, maxBytes: number): FilesError {
  return new FilesError('request-too-large', {
    detail: `In the body ${came}; at most ${maxBytes} are taken. The bytes of files go to the bucket, not here.`,
  });
}
