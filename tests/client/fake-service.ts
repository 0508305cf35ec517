// The file service as its contract describes it, in memory, over a fake bucket: what client and console are tried against
// where faults have to be injected. It checks requests against the contract's schemas and its own answers too.

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import {
  changePasswordRequestSchema,
  changeUserRequestSchema,
  createLinkRequestSchema,
  createShareRequestSchema,
  createUploadRequestSchema,
  type FileEntry,
  type FileState,
  type ProblemCode,
  problems,
  type RouteName,
  routeNames,
  routes,
  type Session,
  type SessionEntry,
  type Share,
  type SignedRequest,
  type SignInWays,
  signInRequestSchema,
  signPartsRequestSchema,
  type Upload,
} from '@stowage/contract';
import { type FakeBucket, listen, pause, startFakeBucket, stop } from './fake-bucket.ts';

/** What one file is to this service. */
interface FakeRow {
  upload: Upload;
  previews: FileEntry['previews'];
  sniffedType?: string;
  unscanned?: string;
  trashedAt?: string;
  createdAt: string;
}

export interface FakeService {
  readonly origin: string;
  readonly bucket: FakeBucket;
  readonly rows: Map<string, FakeRow>;
  /** Calls answered, as route names in order. */
  readonly calls: RouteName[];
  readonly tokens: Set<string>;
  /** Status to answer a call with instead of its own; 0 cuts the connection. */
  fault: (route: RouteName) => number | undefined;
  /** The same once the call has done its work. */
  answerFault: (route: RouteName) => 0 | undefined;
  /** What a stored file becomes after `checkMs`. */
  verdict: (upload: Upload) => { state: FileState; reason?: string };
  checkMs: number;
  partSizeBytes: number;
  multipartFromBytes: number;
  signedIn: boolean;
  role: 'owner' | 'viewer';
  /** The one person there is, and how they signed in. */
  readonly person: FakePerson;
  ways: SignInWays;
  /** As `kill -9` and a new start on the same port: connections die, rows stay. */
  restart(downMs: number): Promise<void>;
  close(): Promise<void>;
}

interface FakePerson {
  email?: string;
  password?: string;
  /** Asked for with the password, and with a link. */
  code?: string;
  how: SessionEntry['how'];
}

interface FakeServiceOptions {
  /** Folder of a built console to serve. */
  readonly staticFolder?: string;
}

class Refusal extends Error {
  readonly code: ProblemCode;
  constructor(code: ProblemCode) {
    super(code);
    this.code = code;
  }
}

interface Call {
  readonly route: RouteName;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly response: ServerResponse;
}

export async function startFakeService({ staticFolder }: FakeServiceOptions = {}): Promise<FakeService> {
  const bucket = await startFakeBucket();
  const rows = new Map<string, FakeRow>();
  const byKey = new Map<string, string>();
  /** Files by the id of a share that has not ended. */
  const shares = new Map<string, string>();
  let lastId = 0;
  let server = createServer((request, response) => void serve(request, response));
  await listen(server);
  const { port } = server.address() as AddressInfo;

  const service: FakeService = {
    origin: `http://127.0.0.1:${port}`,
    bucket,
    rows,
    calls: [],
    tokens: new Set(['letmein']),
    fault: () => undefined,
    answerFault: () => undefined,
    verdict: () => ({ state: 'ready' }),
    checkMs: 20,
    partSizeBytes: 256 * 1024,
    multipartFromBytes: 512 * 1024,
    signedIn: true,
    role: 'owner',
    person: { how: 'link' },
    ways: { password: true, providers: [] },
    async restart(downMs) {
      await stop(server);
      await pause(downMs);
      server = createServer((request, response) => void serve(request, response));
      await listen(server, port);
    },
    async close() {
      await stop(server);
      await bucket.close();
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', service.origin);
    const match = matchRoute(request.method ?? 'GET', url.pathname);
    const shareId = /^\/s\/(\w+)$/.exec(url.pathname)?.[1];
    if (shareId !== undefined) {
      const shared = rows.get(shares.get(shareId) ?? '');
      response.writeHead(shared === undefined ? 410 : 200).end(shared?.upload.name);
      return;
    }
    if (match === undefined) {
      await serveStatic(staticFolder, url.pathname, bucket.endpoint, response);
      return;
    }
    service.calls.push(match.route);
    const fault = service.fault(match.route);
    if (fault === 0) {
      request.socket.destroy();
      return;
    }
    try {
      const text = await readText(request);
      if (fault !== undefined) {
        response.writeHead(fault).end('fault');
        return;
      }
      if (!service.signedIn && routes[match.route].access === 'authenticated') throw new Refusal('unauthenticated');
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const key = request.headers['idempotency-key'];
      await answer({ ...match, query: url.searchParams, body, response }, typeof key === 'string' ? key : undefined);
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 'internal-error';
      const { status, title } = problems[code];
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ type: `urn:stowage:problem:${code}`, title, status, code }));
    }
  }

  async function answer(call: Call, key: string | undefined): Promise<void> {
    const { status, response: schema } = routes[call.route];
    const result = await handle(call, key);
    if (service.answerFault(call.route) === 0) {
      call.response.destroy();
      return;
    }
    if (typeof result === 'string') {
      call.response.writeHead(302, { location: result }).end();
      return;
    }
    if (schema === undefined) call.response.writeHead(status).end();
    else {
      call.response.writeHead(status, { 'content-type': 'application/json' });
      call.response.end(JSON.stringify(schema.parse(result)));
    }
  }

  async function handle(call: Call, key: string | undefined): Promise<unknown> {
    switch (call.route) {
      case 'signIn': {
        const request = signInRequestSchema.parse(call.body);
        const { person, tokens } = service;
        if ('token' in request) {
          if (!tokens.has(request.token)) throw new Refusal('sign-in-link-used');
        } else if (person.email !== request.email || person.password !== request.password) {
          throw new Refusal('sign-in-failed');
        }
        if (person.code !== undefined && request.code !== person.code) {
          throw new Refusal(request.code === undefined ? 'second-factor-required' : 'second-factor-wrong');
        }
        if ('token' in request) tokens.delete(request.token);
        person.how = 'token' in request ? 'link' : 'password';
        service.signedIn = true;
        return session(service);
      }
      case 'getSignInWays':
        return service.ways;
      case 'getSession':
        return session(service);
      case 'listSessions': {
        const times = { createdAt: new Date().toISOString(), expiresAt: new Date().toISOString() };
        return { sessions: [{ id: 's1', current: true, how: service.person.how, ...times }] };
      }
      case 'changeUser': {
        const { email } = changeUserRequestSchema.parse(call.body);
        if (typeof email === 'string') service.person.email = email;
        const { person } = service;
        return {
          id: 'u1',
          name: 'Owner',
          ...(person.email === undefined ? {} : { email: person.email }),
          role: 'owner',
          createdAt: new Date().toISOString(),
          hasPassword: person.password !== undefined,
          hasSecondFactor: person.code !== undefined,
        };
      }
      case 'changePassword': {
        const { password, current } = changePasswordRequestSchema.parse(call.body);
        const { person } = service;
        const mayLeaveOut = person.how === 'link' || person.password === undefined;
        if (current !== person.password && !(mayLeaveOut && current === undefined)) throw new Refusal('password-wrong');
        person.password = password;
        return undefined;
      }
      case 'signOut':
        service.signedIn = false;
        return undefined;
      case 'createUpload':
        return createUpload(call, key);
      case 'listUploads':
        return { uploads: [...rows.values()].map(fresh).filter(({ state }) => unfinished(state)) };
      case 'getUpload':
        return watch(call);
      case 'listParts':
        return {
          parts: [...(bucket.parts.get(call.id) ?? [])].map(([partNumber, bytes]) => ({
            partNumber,
            sizeBytes: bytes.length,
            etag: 'x',
          })),
        };
      case 'signParts':
        row(call.id);
        return {
          parts: signPartsRequestSchema.parse(call.body).partNumbers.map((partNumber) => ({
            partNumber,
            ...signedPut(`part ${call.id} ${partNumber}`),
          })),
        };
      case 'completeUpload':
        return complete(call.id);
      case 'abortUpload':
        setState(call.id, 'aborted');
        return undefined;
      case 'listFiles':
        return list(call.query);
      case 'getFile':
        return entry(row(call.id));
      case 'deleteFile':
        row(call.id).trashedAt = new Date().toISOString();
        setState(call.id, 'trashed');
        return undefined;
      case 'restoreFile':
        delete row(call.id).trashedAt;
        setState(call.id, 'ready');
        return entry(row(call.id));
      case 'getContent':
      case 'getPreview': {
        const { upload, sniffedType } = row(call.id);
        const type = encodeURIComponent(sniffedType ?? upload.contentType);
        return `${bucket.sign(upload.id).url}&type=${type}&disposition=${call.query.get('disposition') ?? 'attachment'}`;
      }
      case 'createLink': {
        const seconds = createLinkRequestSchema.parse(call.body).expiresInSeconds ?? 3600;
        return { url: bucket.sign(call.id).url, expiresAt: new Date(Date.now() + seconds * 1000).toISOString() };
      }
      case 'createShare':
        return share(call);
      case 'revokeShare':
        shares.delete(call.id);
        return undefined;
      case 'rescanQuarantined':
        setState(call.id, 'scanning');
        setTimeout(() => setState(call.id, 'ready'), service.checkMs);
        return { id: call.id, state: 'scanning' };
      default:
        throw new Refusal('not-found');
    }
  }

  function share({ body }: Call): Share {
    if (service.role === 'viewer') throw new Refusal('forbidden');
    const { fileId = '', expiresInSeconds } = createShareRequestSchema.parse(body);
    const id = `s${shares.size + 1}`;
    shares.set(id, fileId);
    const nowMs = Date.now();
    return {
      id,
      target: { kind: 'file', id: fileId, name: row(fileId).upload.name },
      url: `${service.origin}/s/${id}`,
      hasPassword: false,
      createdAt: new Date(nowMs).toISOString(),
      downloads: 0,
      ...(expiresInSeconds === undefined ? {} : { expiresAt: new Date(nowMs + expiresInSeconds * 1000).toISOString() }),
    };
  }

  function row(id: string): FakeRow {
    const found = rows.get(id);
    if (found === undefined) throw new Refusal('not-found');
    return found;
  }

  function setState(id: string, state: FileState, reason?: string): void {
    const found = row(id);
    found.upload = { ...found.upload, state, ...(reason === undefined ? {} : { reason }) };
  }

  function signedPut(target: string): SignedRequest {
    return { method: 'PUT', ...bucket.sign(target), expiresAt: new Date(Date.now() + 900_000).toISOString() };
  }

  function fresh({ upload }: FakeRow): Upload {
    if (upload.strategy === 'multipart' || upload.state !== 'pending') return upload;
    const request = signedPut(`put ${upload.id}`);
    return {
      ...upload,
      request: { ...request, headers: { 'if-none-match': '*', 'content-type': upload.contentType } },
    };
  }

  function createUpload({ body }: Call, key: string | undefined): Upload {
    const known = byKey.get(key ?? '');
    if (known !== undefined) return fresh(row(known));
    const asked = createUploadRequestSchema.parse(body);
    lastId += 1;
    const id = `f${lastId}`;
    const multipart = asked.sizeBytes >= service.multipartFromBytes;
    const now = new Date().toISOString();
    const upload: Upload = {
      id,
      fileId: id,
      name: asked.name,
      folderId: asked.folderId ?? '',
      folder: asked.folder ?? [],
      sizeBytes: asked.sizeBytes,
      contentType: asked.contentType ?? 'application/octet-stream',
      state: 'pending',
      strategy: multipart ? 'multipart' : 'put',
      createdAt: now,
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
      ...(multipart
        ? { partSizeBytes: service.partSizeBytes, partCount: Math.ceil(asked.sizeBytes / service.partSizeBytes) }
        : {}),
    };
    rows.set(id, { upload, previews: [], createdAt: now });
    if (key !== undefined) byKey.set(key, id);
    return fresh(row(id));
  }

  function complete(id: string): Upload {
    const { upload } = row(id);
    if (!unfinished(upload.state)) return upload;
    if (upload.strategy === 'multipart') {
      const parts = bucket.parts.get(id) ?? new Map<number, Buffer>();
      const ordered = [...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
      if (ordered.length !== upload.partCount) throw new Refusal('parts-missing');
      bucket.objects.set(id, Buffer.concat(ordered));
    }
    if (bucket.objects.get(id)?.length !== upload.sizeBytes) throw new Refusal('parts-missing');
    setState(id, 'scanning');
    setTimeout(() => {
      const { state, reason } = service.verdict(row(id).upload);
      if (row(id).upload.contentType.startsWith('image/')) row(id).previews = ['thumbnail'];
      setState(id, state, reason);
    }, service.checkMs);
    return row(id).upload;
  }

  async function watch({ id, query }: Call): Promise<Upload> {
    const before = query.get('state') ?? row(id).upload.state;
    const untilMs = Date.now() + Number(query.get('wait') ?? 0) * 1000;
    while (Date.now() < untilMs && row(id).upload.state === before) await pause(10);
    return fresh(row(id));
  }

  function list(query: URLSearchParams): unknown {
    const sort = query.get('sort') ?? '-createdAt';
    const field = sort.replace('-', '') as 'name' | 'createdAt' | 'sizeBytes';
    const name = query.get('name')?.toLowerCase() ?? '';
    const start = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit') ?? 50);
    const entries = [...rows.values()]
      .map(entry)
      .filter(({ state }) => !unfinished(state) && state !== 'aborted' && state !== 'trashed')
      .filter((each) => each.name.toLowerCase().includes(name))
      .sort((a, b) => (a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : 0));
    if (sort.startsWith('-')) entries.reverse();
    const files = entries.slice(start, start + limit);
    return { files, ...(start + limit < entries.length ? { nextCursor: String(start + limit) } : {}) };
  }

  return service;
}

function entry({ upload, previews, sniffedType, unscanned, createdAt }: FakeRow): FileEntry {
  const { id, name, folder, sizeBytes, contentType, state, reason } = upload;
  return {
    id,
    versionId: id,
    name,
    folderId: '',
    folder,
    tags: [],
    metadata: {},
    sizeBytes,
    contentType: sniffedType ?? contentType,
    state,
    previews,
    createdAt,
    updatedAt: createdAt,
    etag: `"${id}-${state}"`,
    ...(reason === undefined ? {} : { reason }),
    ...(unscanned === undefined ? {} : { unscanned }),
  };
}

function unfinished(state: FileState): boolean {
  return state === 'pending' || state === 'uploading' || state === 'completing';
}

function session({ bucket, role, person }: FakeService): Session {
  return {
    user: { id: 'u1', name: 'Owner', ...(person.email === undefined ? {} : { email: person.email }) },
    tenant: { id: 't1', name: 'Home' },
    role,
    rights: role === 'owner' ? ['files:read', 'shares:write', 'quarantine:write', 'members:write'] : ['files:read'],
    limits: { maxFileSizeBytes: 5 * 1024 ** 4 },
    storage: { endpoint: bucket.endpoint, bucket: 'files' },
  };
}

function matchRoute(method: string, path: string): { route: RouteName; id: string } | undefined {
  for (const route of routeNames) {
    const pattern = new RegExp(`^${routes[route].path.replace(/\{\w+\}/g, '([^/]+)')}$`);
    const match = pattern.exec(path);
    if (match !== null && routes[route].method === method) return { route, id: decodeURIComponent(match[1] ?? '') };
  }
  return undefined;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const staticTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

async function serveStatic(
  folder: string | undefined,
  path: string,
  bucket: string,
  response: ServerResponse,
): Promise<void> {
  if (folder === undefined) {
    response.writeHead(404).end();
    return;
  }
  const name = normalize(path);
  const file = extname(name) === '' ? 'index.html' : name;
  try {
    const bytes = await readFile(join(folder, file));
    response.writeHead(200, {
      'content-type': staticTypes[extname(file)] ?? 'application/octet-stream',
      // As strict as the real one's, so that a style or script that it would stop is seen here.
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: ${bucket}; connect-src 'self' ${bucket}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}
