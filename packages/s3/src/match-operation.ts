// Which operation of the table a request is. Deterministic, from method, level, query and two headers; OPTIONS is not an
// operation and belongs to the server.
//
// The rule for what is not known: nothing is dropped that could mean something else.
//   A sub-resource (a name that selects an operation anywhere in the table) never falls through to a plain operation:
//     with a method or level the table lacks it is MethodNotAllowed, beside another sub-resource InvalidArgument.
//   A PUT, POST or DELETE with any other parameter that its operation does not take is refused by name. One that S3 knows
//     of another operation is InvalidArgument (`PUT key?versionId=…`), one that S3 does not know is NotImplemented: a
//     gateway that ignores `DELETE bucket?encryption` deletes the bucket.
//   A GET or HEAD with an unknown parameter ignores it, as AWS does: reading too much changes nothing.
// Parameters of signatures (`X-Amz-…` and the three of version 2), `x-id` (the SDKs' own label) and `response-…` go with all.

import { S3Error } from './errors.ts';
import { type Operation, type OperationName, operationNames, operations } from './operations.ts';
import type { RequestHeaders, RequestQuery } from './request-parts.ts';

/** What the operation is told from. */
export interface OperationRequest {
  /** In upper case. */
  readonly method: string;
  /** What host and path name: nothing, a bucket, or a bucket and a key. */
  readonly level: Operation['level'];
  readonly query: RequestQuery;
  readonly headers: RequestHeaders;
}

/** @throws S3Error `MethodNotAllowed`, `InvalidArgument`, `NotImplemented`, as the rule above says. */
export function matchOperation(request: OperationRequest): OperationName {
  const { method, level, query, headers } = request;
  // The hot path: an object, and nothing in the query that says more.
  if (level === 'object' && !hasMeaning(query)) {
    if (method === 'GET') return 'GetObject';
    if (method === 'PUT') return headers['x-amz-copy-source'] === undefined ? 'PutObject' : 'CopyObject';
    if (method === 'HEAD') return 'HeadObject';
    if (method === 'DELETE') return 'DeleteObject';
  }
  const names = new Set<string>();
  for (const [name] of query) if (!isIgnored(name)) names.add(name);
  for (const candidate of candidates.get(`${method} ${level}`) ?? []) {
    if (!matches(candidate, request, names)) continue;
    checkParameters(candidate, names, method);
    return candidate.name;
  }
  const subResource = [...names].find((name) => subResources.has(name));
  if (method === 'POST' && level === 'bucket' && subResource === undefined) {
    throw new S3Error('PreconditionFailed', 'Bucket POST must be of the enclosure-type multipart/form-data', {
      details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
    });
  }
  const resource = subResource === undefined ? levelNames[level] : `?${subResource} of ${levelNames[level]}`;
  throw new S3Error('MethodNotAllowed', `The method ${method} is not allowed against ${resource}.`, {
    details: { Method: method, ResourceType: subResource?.toUpperCase() ?? level.toUpperCase() },
  });
}

const levelNames: Readonly<Record<Operation['level'], string>> = {
  service: 'the service',
  bucket: 'a bucket',
  object: 'an object',
};

/** A row of the table, its query split, ready to be compared. */
interface Candidate {
  readonly name: OperationName;
  readonly required: readonly { readonly name: string; readonly value: string | undefined }[];
  /** Every parameter the operation takes, those that select it included. */
  readonly accepted: ReadonlySet<string>;
  readonly header: string | undefined;
  readonly form: boolean;
}

/** By method and level, the most specific first: more required parameters, then a required header or form. */
const candidates: ReadonlyMap<string, readonly Candidate[]> = indexCandidates();

function indexCandidates(): Map<string, Candidate[]> {
  const index = new Map<string, Candidate[]>();
  for (const name of operationNames) {
    const operation: Operation = operations[name];
    if (operation.supersededBy !== undefined || operation.endpoint !== undefined) continue;
    const required = operation.query.map((condition) => {
      const equals = condition.indexOf('=');
      if (equals === -1) return { name: condition, value: undefined };
      return { name: condition.slice(0, equals), value: condition.slice(equals + 1) };
    });
    const place = `${operation.method} ${operation.level}`;
    const rows = index.get(place) ?? [];
    rows.push({
      name,
      required,
      accepted: new Set([...required.map((parameter) => parameter.name), ...(operation.parameters ?? [])]),
      header: operation.header,
      form: operation.form === true,
    });
    index.set(place, rows);
  }
  for (const rows of index.values()) rows.sort((one, other) => specificity(other) - specificity(one));
  return index;
}

function specificity(candidate: Candidate): number {
  return candidate.required.length * 2 + (candidate.header !== undefined || candidate.form ? 1 : 0);
}

/** Parameters that refine an operation and select none by themselves. */
const refining: ReadonlySet<string> = new Set(['id', 'annotationName', 'partNumber', 'list-type', 'select-type']);

/** Every name that selects an operation. */
const subResources: ReadonlySet<string> = new Set(
  operationNames
    .flatMap((name): readonly string[] => operations[name].query)
    .map((condition) => condition.split('=', 1)[0] ?? condition)
    .filter((name) => !refining.has(name)),
);

/** Every parameter that S3 knows of any operation. */
const knownParameters: ReadonlySet<string> = new Set(
  [...candidates.values()].flatMap((rows) => rows.flatMap((candidate) => [...candidate.accepted])),
);

function matches(candidate: Candidate, request: OperationRequest, names: ReadonlySet<string>): boolean {
  const { required, header, form } = candidate;
  if (header !== undefined && request.headers[header] === undefined) return false;
  if (form && !/^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '')) return false;
  for (const { name, value } of required) {
    if (!names.has(name)) return false;
    if (value !== undefined && firstValue(request.query, name) !== value) return false;
  }
  // A plain operation never stands in for a sub-resource. ListObjectsV2 is plain too, though a parameter selects it.
  const isPlain = required.every((parameter) => refining.has(parameter.name));
  return !isPlain || !hasSubResource(names, candidate.accepted);
}

function hasSubResource(names: ReadonlySet<string>, accepted: ReadonlySet<string>): boolean {
  for (const name of names) if (subResources.has(name) && !accepted.has(name)) return true;
  return false;
}

function checkParameters(candidate: Candidate, names: ReadonlySet<string>, method: string): void {
  for (const name of names) {
    if (candidate.accepted.has(name)) continue;
    if (subResources.has(name)) {
      const selecting = candidate.required.map((parameter) => parameter.name);
      throw refusal('InvalidArgument', `Conflicting query string parameters: ${[...selecting, name].join(', ')}`, name);
    }
    if (method === 'GET' || method === 'HEAD') continue;
    if (knownParameters.has(name)) {
      throw refusal('InvalidArgument', `${candidate.name} does not accept the query parameter ${name}.`, name);
    }
    throw refusal(
      'NotImplemented',
      `The query parameter ${name} is not known; leave it out of ${candidate.name}.`,
      name,
    );
  }
}

function refusal(code: 'InvalidArgument' | 'NotImplemented', message: string, name: string): S3Error {
  return new S3Error(code, message, { details: { ArgumentName: name } });
}

function hasMeaning(query: RequestQuery): boolean {
  for (const [name] of query) if (!isIgnored(name)) return true;
  return false;
}

/** The SDKs' own label, version 2's signature, and the headers that boto3 repeats in URLs of version 2. */
const ignoredParameters: ReadonlySet<string> = new Set([
  'x-id',
  'AWSAccessKeyId',
  'Signature',
  'Expires',
  'content-type',
  'content-md5',
]);

function isIgnored(name: string): boolean {
  if (ignoredParameters.has(name)) return true;
  const start = name.slice(0, 9).toLowerCase();
  return start.startsWith('x-amz-') || start === 'response-';
}

function firstValue(query: RequestQuery, name: string): string | undefined {
  for (const [candidate, value] of query) if (candidate === name) return value;
  return undefined;
}
