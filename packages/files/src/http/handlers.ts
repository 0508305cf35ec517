// One handler for each route of the contract: a missing one does not compile. A handler takes parsed values and answers a plain
// result; it never sees the request.

import type { RouteBody, RouteName, RouteQuery, RouteResponse, Session } from '@stowage/contract';
import { fileStates, type Upload } from '@stowage/contract';
import type { S3Settings } from '../bucket/s3-settings.ts';
import type { Downloads } from '../downloads.ts';
import { type FileRecord, fileEntry, fileEtag, isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { Caller, SignIn } from '../sign-in.ts';
import type { StateWatch } from '../state-watch.ts';
import type { StoredFiles } from '../stored-files.ts';
import type { Uploads } from '../uploads.ts';

export interface Call<Name extends RouteName> {
  /** Throws `unauthenticated` when the caller was not recognised; the pipeline has refused such calls where it must. */
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: RouteQuery<Name>;
  readonly body: RouteBody<Name>;
  readonly ifMatch: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** The session cookie as it came. */
  readonly sessionToken: string | undefined;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export interface Reply<Body> {
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** The session cookie to set; `null` takes it away. */
  readonly session?: { readonly token: string; readonly lifeMs: number } | null;
}

export type Handlers = {
  readonly [Name in RouteName]: (call: Call<Name>) => Promise<Reply<RouteResponse<Name>>>;
};

interface HandlersOptions {
  readonly uploads: Uploads;
  readonly storedFiles: StoredFiles;
  readonly downloads: Downloads;
  readonly signIn: SignIn;
  readonly watch: StateWatch;
  readonly limits: FilesLimits;
  readonly s3: S3Settings;
}

const defaultLinkSeconds = 3_600;
/** Browsers may follow a preview's redirect again for this long: signed URLs differ each time and would defeat their cache. */
const previewCacheSeconds = 300;

export function createHandlers(options: HandlersOptions): Handlers {
  const { uploads, storedFiles, downloads, signIn, limits, watch } = options;

  function find(call: Call<RouteName>): Promise<FileRecord> {
    return storedFiles.get(call.caller.account.tenantId, idOf(call));
  }

  return {
    signIn: async ({ body }) => {
      const { caller, sessionToken } = await signIn.redeem(body.token);
      return { body: sessionOf(caller, options), session: { token: sessionToken, lifeMs: limits.sessionLifeMs } };
    },
    getSession: async ({ caller }) => ({ body: sessionOf(caller, options) }),
    signOut: async ({ sessionToken }) => {
      if (sessionToken !== undefined) await signIn.endSession(sessionToken);
      return { body: undefined, session: null };
    },

    createUpload: async ({ caller, body, idempotencyKey }) => ({
      body: await uploads.create(caller.account, body, idempotencyKey),
    }),
    listUploads: async ({ caller, query }) => ({ body: await uploads.list(caller.account.tenantId, query) }),
    getUpload: async (call) => ({ body: await waitForChange(call, { uploads, watch }) }),
    listParts: async (call) => ({
      body: { parts: await uploads.listParts(call.caller.account.tenantId, idOf(call)) },
    }),
    signParts: async (call) => ({
      body: { parts: await uploads.signParts(call.caller.account.tenantId, idOf(call), call.body.partNumbers) },
    }),
    completeUpload: async (call) => ({ body: await uploads.complete(call.caller.account.tenantId, idOf(call)) }),
    abortUpload: async (call) => {
      await uploads.abort(call.caller.account.tenantId, idOf(call));
      return { body: undefined };
    },

    listFiles: async ({ caller, query }) => ({ body: await storedFiles.list(caller.account.tenantId, query) }),
    getFile: async (call) => {
      const file = await find(call);
      return { body: fileEntry(file), headers: { etag: fileEtag(file) } };
    },
    deleteFile: async (call) => {
      await storedFiles.remove(call.caller.account.tenantId, idOf(call), call.ifMatch);
      return { body: undefined };
    },
    restoreFile: async (call) => ({ body: await storedFiles.restore(call.caller.account.tenantId, idOf(call)) }),
    getContent: async (call) => {
      const { disposition } = call.query;
      const { url } = downloads.link(await find(call), { disposition, lifeMs: limits.urlLifeMs });
      return { body: undefined, headers: { location: url } };
    },
    getPreview: async (call) => {
      const { url } = downloads.previewLink(await find(call), call.params.preset ?? '', limits.urlLifeMs);
      const seconds = Math.min(previewCacheSeconds, Math.floor(limits.urlLifeMs / 2000));
      return { body: undefined, headers: { location: url, 'cache-control': `private, max-age=${seconds}` } };
    },
    createLink: async (call) => {
      const { disposition, expiresInSeconds = defaultLinkSeconds } = call.body;
      return { body: downloads.link(await find(call), { disposition, lifeMs: expiresInSeconds * 1000 }) };
    },

    listKeys: async ({ caller }) => ({ body: await signIn.listKeys(caller.account) }),
    createKey: async ({ caller, body }) => {
      requireSession(caller);
      return { body: await signIn.createKey(caller.account, body.name) };
    },
    deleteKey: async (call) => {
      requireSession(call.caller);
      await signIn.removeKey(call.caller.account, idOf(call));
      return { body: undefined };
    },
  };
}

/** The upload now, or after its next change if it is not at rest, or when the time is over. */
async function waitForChange(
  call: Call<'getUpload'>,
  { uploads, watch }: Pick<HandlersOptions, 'uploads' | 'watch'>,
): Promise<Upload> {
  const { tenantId } = call.caller.account;
  const id = idOf(call);
  const seconds = call.query.wait ?? 0;
  if (seconds === 0) return uploads.get(tenantId, id);
  // Watch first, then look: a change in between is not missed.
  const enough = new AbortController();
  const changed = watch.wait(id, seconds * 1000, AbortSignal.any([call.signal, enough.signal]));
  try {
    const upload = await uploads.get(tenantId, id);
    const { terminal, downloadable } = fileStates[upload.state];
    const isNews = call.query.state !== undefined && call.query.state !== upload.state;
    if (terminal || downloadable || isNews || !(await changed)) return upload;
  } finally {
    enough.abort();
  }
  return uploads.get(tenantId, id);
}

function sessionOf(caller: Caller, { limits, s3 }: HandlersOptions): Session {
  const { account, expiresAtMs } = caller;
  return {
    user: { id: account.userId, name: account.userName },
    tenant: { id: account.tenantId, name: account.tenantName },
    ...(expiresAtMs === undefined ? {} : { expiresAt: isoDate(expiresAtMs) }),
    limits: { maxFileSizeBytes: limits.maxFileSizeBytes },
    storage: { endpoint: s3.publicEndpoint ?? s3.endpoint, bucket: s3.bucket },
  };
}

function idOf(call: Pick<Call<RouteName>, 'params'>): string {
  return call.params.id ?? '';
}

/** A key that leaked must not be able to make others, or to lock its owner out. */
function requireSession(caller: Caller): void {
  if (caller.by === 'session') return;
  throw new FilesError('forbidden', {
    detail: 'API keys are made and revoked by people who are signed in, not by API keys.',
  });
}
