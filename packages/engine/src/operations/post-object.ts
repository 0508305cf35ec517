// PostObject: a browser's form upload. The fields come first and say who posts and what is allowed; the file comes last and
// streams into the store. Spec: "POST Object" and "Browser-Based Uploads Using POST" of the S3 API reference.

import {
  type ContentLengthRange,
  checkContentLength,
  checkObjectKey,
  type PostFields,
  parsePostAuthentication,
  postObjectKey,
  quoteEtag,
  type RequestHeaders,
  readPostFields,
  S3Error,
  verifyPostPolicy,
  writePostObjectDocument,
} from '@stowage/s3';
import type { BodyWriter, ObjectVersion } from '@stowage/store';
import { findRequester } from '../authenticate.ts';
import { authorizeOwner } from '../authorize.ts';
import type { EngineContext } from '../engine-context.ts';
import { FormDecoder, type FormEvent, parseBoundary } from '../form-decoder.ts';
import type { Handler } from '../handler.ts';
import type { BodySink } from '../incoming-body.ts';
import { checksumHeaders } from '../object-headers.ts';
import type { Result } from '../result.ts';
import type { S3Request } from '../s3-request.ts';
import { refuseUnbuilt } from '../screen.ts';
import { type BodyClaims, digestsFor, finishBody, readClaims } from '../stored-body.ts';
import { headerText, uploadAttributes } from '../upload-attributes.ts';

export const postObject: Handler = async (request, engine) => {
  const form = new FormUpload(request, engine);
  try {
    await request.body.deliver(form);
    return await form.commit();
  } catch (cause) {
    await form.discard();
    throw cause;
  }
};

/** What the fields say, once they are complete. */
interface PostedForm {
  readonly fields: PostFields;
  readonly headers: RequestHeaders;
  readonly key: string;
  readonly owner: string;
  readonly range: ContentLengthRange | undefined;
  readonly claims: BodyClaims;
  readonly writer: BodyWriter;
}

class FormUpload implements BodySink {
  readonly #request: S3Request;
  readonly #engine: EngineContext;
  readonly #decoder: FormDecoder;
  readonly #fields: (readonly [name: string, value: string])[] = [];
  #form: PostedForm | undefined;
  #writerOver = false;

  constructor(request: S3Request, engine: EngineContext) {
    this.#request = request;
    this.#engine = engine;
    this.#decoder = new FormDecoder({
      boundary: parseBoundary(request.headers['content-type']),
      maxFieldsBytes: engine.limits.formFieldsBytes,
    });
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.#take(this.#decoder.push(chunk), 0);
  }

  #take(events: readonly FormEvent[], from: number): Promise<void> | undefined {
    for (let index = from; index < events.length; index++) {
      const event = events[index];
      if (event === undefined) continue;
      if (event.kind === 'field') this.#fields.push([event.name, event.value]);
      else if (event.kind === 'file') this.#form = openForm(this.#fields, event.fileName, this.#request, this.#engine);
      else {
        const wait = this.#form?.writer.write(event.bytes);
        if (wait !== undefined) return wait.then(() => this.#take(events, index + 1));
      }
    }
    return undefined;
  }

  async commit(): Promise<Result> {
    this.#decoder.end();
    const form = this.#form;
    if (form === undefined) {
      throw new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.', {
        details: { ArgumentName: 'file', ArgumentValue: '0' },
      });
    }
    this.#writerOver = true;
    const stored = await finishBody(form.writer, form.claims, form.claims.checksum?.algorithm, new Map());
    try {
      checkContentLength(form.range, stored.staged.sizeBytes);
    } catch (cause) {
      await stored.staged.discard();
      throw cause;
    }
    const { checksum } = stored;
    const version = await this.#engine.store.putObject({
      bucket: this.#request.bucket,
      key: form.key,
      body: stored.staged,
      etag: stored.etag,
      attributes: uploadAttributes({ ...this.#request, headers: form.headers, query: [] }, form.owner),
      ...(checksum === undefined ? {} : { checksum: { ...checksum, type: 'FULL_OBJECT' } }),
    });
    return postResult(this.#request, form.fields, version);
  }

  async discard(): Promise<void> {
    if (this.#form !== undefined && !this.#writerOver) await this.#form.writer.discard();
  }
}

/** Judges the fields, which are all there now, and makes ready for the file. */
function openForm(
  pairs: readonly (readonly [name: string, value: string])[],
  fileName: string,
  request: S3Request,
  engine: EngineContext,
): PostedForm {
  const fields = readPostFields(pairs);
  const key = postObjectKey(fields, fileName);
  checkObjectKey(key);
  const { owner, range } = authorizeForm(fields, key, request, engine);
  const headers = headersOf(fields);
  for (const name in headers) if (name.startsWith('x-amz-')) refuseUnbuilt(name, headers[name] ?? '');
  refuseUnbuilt('x-amz-acl', fields.get('acl') ?? '');
  refuseUnbuilt('x-amz-tagging', fields.get('tagging') ?? '');
  // Read again at the commit; what is wrong with it is said before the file is taken.
  uploadAttributes({ ...request, headers, query: [] }, owner);
  const claims = readClaims(headers, undefined);
  const writer = engine.store.stageBody({
    bucket: request.bucket,
    maxSizeBytes: Math.min(engine.limits.bodyBytes, range?.maxBytes ?? engine.limits.bodyBytes),
    digests: digestsFor(claims, claims.checksum?.algorithm),
  });
  return { fields, headers, key, owner, range, claims, writer };
}

function authorizeForm(
  fields: PostFields,
  key: string,
  request: S3Request,
  engine: EngineContext,
): { readonly owner: string; readonly range: ContentLengthRange | undefined } {
  const authentication = parsePostAuthentication(fields);
  if (authentication.mechanism === 'anonymous') throw new S3Error('AccessDenied');
  const requester = findRequester(engine, authentication.accessKeyId, authentication.sessionToken);
  const { contentLengthRange } = verifyPostPolicy(fields, authentication, {
    secretAccessKey: requester.secretAccessKey,
    nowMs: request.nowMs,
    signingKeys: engine.signingKeys,
    bucket: request.bucket,
    key,
  });
  authorizeOwner(requester, engine.store.getBucket(request.bucket));
  return { owner: requester.id, range: contentLengthRange };
}

/** The fields in the shape of headers: one character for each byte. @throws S3Error `InvalidArgument`. */
function headersOf(fields: PostFields): RequestHeaders {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    if (!isHeaderField(name)) continue;
    headers[name] = headerText(name, value);
  }
  return headers;
}

const otherHeaderFields: readonly string[] = ['cache-control', 'expires'];

function isHeaderField(name: string): boolean {
  return name.startsWith('x-amz-') || name.startsWith('content-') || otherHeaderFields.includes(name);
}

function postResult(request: S3Request, fields: PostFields, version: ObjectVersion): Result {
  const { bucket, key } = version;
  const base = request.style === 'host' ? request.origin : `${request.origin}/${bucket}`;
  const location = `${base}/${encodeURIComponent(key)}`;
  const headers = ['location', location, 'etag', quoteEtag(version.etag), ...checksumHeaders(version.checksum)];
  const redirect = redirectTarget(fields.get('success_action_redirect') ?? fields.get('redirect'), version);
  if (redirect !== undefined) return { status: 303, headers: ['location', redirect, ...headers.slice(2)] };
  const status = fields.get('success_action_status');
  if (status === '201') {
    const body = writePostObjectDocument({ location, bucket, key, etag: version.etag });
    return { status: 201, headers: [...headers, 'content-type', 'application/xml'], body };
  }
  // "If the value is not set to one of the valid values … returns an empty document with a 204 status code."
  return { status: status === '200' ? 200 : 204, headers };
}

/** "If Amazon S3 cannot interpret the URL, it acts as if the field is not present." */
function redirectTarget(url: string | undefined, version: ObjectVersion): string | undefined {
  if (url === undefined || !/^[\x21-\x7e]+$/.test(url) || !URL.canParse(url)) return undefined;
  const target = new URL(url);
  if (target.protocol !== 'http:' && target.protocol !== 'https:') return undefined;
  const { bucket, key, etag } = version;
  const parameters = new URLSearchParams({ bucket, key, etag: quoteEtag(etag) }).toString();
  // The URL as the form has it, not normalised: the page may compare it.
  return `${url}${target.search === '' ? (url.endsWith('?') ? '' : '?') : '&'}${parameters}`;
}
