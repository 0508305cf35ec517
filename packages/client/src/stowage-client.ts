// The client: made once, wired here, used for uploads, files and the session.

import type {
  CreateLinkRequest,
  CreateShareRequest,
  Disposition,
  DownloadLink,
  FileEntry,
  FileList,
  ListFilesQuery,
  PreviewPreset,
  QuarantineOutcome,
  Session,
  Share,
  Upload,
  UploadList,
} from '@stowage/contract';
import { createRetrier, defaultBackoff } from './backoff.ts';
import { ClientError } from './client-error.ts';
import { type Clock, systemClock } from './clock.ts';
import { systemConnectivity } from './connectivity.ts';
import { createLanes } from './lanes.ts';
import { type FileHandle, openResumeStore, type RememberedFile } from './resume-store.ts';
import { createServiceConnection } from './service-connection.ts';
import { servicePaths } from './service-paths.ts';
import { fetchTransport, xhrTransport } from './transport.ts';
import { createUpload, type UploadHandle } from './upload.ts';
import { openUploadClaims } from './upload-claim.ts';
import { asUploadSource, type UploadSource } from './upload-source.ts';

export interface ClientOptions {
  /**
   * Where the service is, e.g. `https://files.example.com`, or a path such as `/files` at the page's own origin. Default: where the
   * page came from. Anything else is a TypeError.
   */
  readonly baseUrl?: string;
  /** For programs. A page uses the session cookie instead. */
  readonly apiKey?: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  /** 0 ≤ x < 1, for the jitter of retries. Default Math.random. */
  readonly random?: () => number;
  /** Requests that may carry bytes at once, over all uploads. Starts at 2 and climbs while it pays. Default 6. */
  readonly concurrency?: number;
  /** Time without any success after which a failing upload gives up. Default 10 minutes. */
  readonly giveUpAfterMs?: number;
}

export interface UploadOptions {
  /** Names of the folders to put it in, outermost first. Default: the top. */
  readonly folder?: readonly string[];
  readonly onProgress?: (progress: UploadHandle['progress']) => void;
  /** Aborting it cancels the upload. */
  readonly signal?: AbortSignal;
  /** Id of an upload begun earlier (see `resumable`): goes on with it, given the same file. */
  readonly resume?: string;
  /** By which the browser can read the file again after a reload. */
  readonly handle?: FileHandle;
  /** False: stays queued until `start()`. Default true. */
  readonly start?: boolean;
}

/** An upload that was begun, here or elsewhere, and has not come to its end. */
export interface ResumableUpload {
  readonly upload: Upload;
  /** What this browser remembers of its file, if anything. */
  readonly remembered: RememberedFile | undefined;
}

export interface StowageClient {
  upload(file: Blob | UploadSource, options?: UploadOptions): UploadHandle;
  /** Unfinished uploads that no tab of this browser is working on. */
  resumable(): Promise<readonly ResumableUpload[]>;
  /** Gives up an upload that is not under way here. */
  abandon(uploadId: string): Promise<void>;
  readonly files: {
    list(query?: ListFilesQuery, signal?: AbortSignal): Promise<FileList>;
    get(id: string, signal?: AbortSignal): Promise<FileEntry>;
    /** Into the trash. */
    delete(id: string): Promise<void>;
    /** Out of the trash. */
    restore(id: string): Promise<FileEntry>;
    /**
     * A URL that downloads the file from the bucket without signing in, until it expires. Nothing can end it before: for people, make a
     * share.
     */
    link(id: string, options?: CreateLinkRequest): Promise<DownloadLink>;
  };
  readonly shares: {
    /**
     * Makes a link (`url`) to a page from which anybody who has it can download: until it expires, is used up, is revoked, or the file is
     * deleted. Throws a ClientError: `forbidden` when the caller may not share it, `wrong-state` when the file is not ready.
     */
    create(request: CreateShareRequest): Promise<Share>;
    /** Ends a share at once; safe to repeat. A download that has begun goes on for a minute at most. */
    revoke(id: string): Promise<void>;
  };
  readonly quarantine: {
    /**
     * Has the scanner judge a version anew that was set aside (`quarantined`, `scan-failed`), by a file's `versionId`. Throws a
     * ClientError: `forbidden` when the caller may not judge files, `wrong-state` when it is not set aside.
     */
    rescan(versionId: string): Promise<QuarantineOutcome>;
  };
  readonly session: {
    get(signal?: AbortSignal): Promise<Session>;
    /** With the token of a one-time link. */
    signIn(token: string): Promise<Session>;
    signOut(): Promise<void>;
  };
  /** Address that redirects to the bytes; for links and downloads. */
  contentUrl(id: string, disposition?: Disposition): string;
  /** Address that redirects to a preview; for images. */
  previewUrl(id: string, preset: PreviewPreset): string;
}

/** Pages of unfinished uploads that `resumable` reads, 200 each. */
const maxResumablePages = 5;
const unknownType = 'application/octet-stream';
const minConcurrency = 2;
const defaultConcurrency = 6;

/** Throws a `TypeError` when `baseUrl` or `apiKey` cannot be one. */
export function createClient(options: ClientOptions = {}): StowageClient {
  const clock = options.clock ?? systemClock;
  const fetch = options.fetch ?? ((...args: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...args));
  const service = createServiceConnection({ baseUrl: options.baseUrl ?? '', apiKey: options.apiKey, fetch });
  const retrier = createRetrier({
    limits: { ...defaultBackoff, giveUpAfterMs: options.giveUpAfterMs ?? defaultBackoff.giveUpAfterMs },
    clock,
    random: options.random ?? Math.random,
    connectivity: systemConnectivity(),
  });
  const parts = {
    service,
    retrier,
    clock,
    lanes: createLanes({ min: minConcurrency, max: options.concurrency ?? defaultConcurrency, now: clock.now }),
    transport: typeof XMLHttpRequest === 'undefined' ? fetchTransport(fetch, clock) : xhrTransport(),
    resumeStore: openResumeStore(),
    claims: openUploadClaims(),
  };

  function upload(file: Blob | UploadSource, given: UploadOptions = {}): UploadHandle {
    const source = asUploadSource(file);
    const handle = createUpload({
      parts,
      spec: {
        source,
        contentType: source.type === undefined || source.type === '' ? unknownType : source.type,
        folder: given.folder ?? [],
        handle: given.handle,
      },
      resume: given.resume,
    });
    const { onProgress, signal } = given;
    if (onProgress !== undefined) handle.subscribe((now) => onProgress(now.progress));
    // The service forgets an unfinished upload by itself, should telling it fail.
    signal?.addEventListener('abort', () => void handle.cancel().catch(() => undefined), { once: true });
    if (signal?.aborted) void handle.cancel().catch(() => undefined);
    else if (given.start !== false) handle.start();
    return handle;
  }

  async function unfinished(): Promise<readonly Upload[]> {
    const found: Upload[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < maxResumablePages; page += 1) {
      const list: UploadList = await service.call({
        method: 'GET',
        path: servicePaths.uploads(),
        query: { limit: 200, cursor },
      });
      found.push(...list.uploads.filter(({ state }) => state === 'pending' || state === 'uploading'));
      cursor = list.nextCursor;
      if (cursor === undefined) break;
    }
    return found;
  }

  return {
    upload,
    async resumable() {
      const [uploads, claimed] = await Promise.all([unfinished(), parts.claims.claimed()]);
      const free = uploads.filter(({ id }) => !claimed.has(id));
      return Promise.all(
        free.map(async (each) => ({ upload: each, remembered: await parts.resumeStore.recall(each.id) })),
      );
    },
    async abandon(uploadId) {
      await parts.resumeStore.forget(uploadId);
      await service.call<undefined>({ method: 'DELETE', path: servicePaths.upload(uploadId) });
    },
    files: {
      list: (query = {}, signal) =>
        service.call<FileList>({
          method: 'GET',
          path: servicePaths.files(),
          query: { ...query },
          ...(signal === undefined ? {} : { signal }),
        }),
      get: (id, signal) =>
        service.call<FileEntry>({
          method: 'GET',
          path: servicePaths.file(id),
          ...(signal === undefined ? {} : { signal }),
        }),
      delete: (id) => service.call<undefined>({ method: 'DELETE', path: servicePaths.file(id) }),
      restore: (id) => service.call<FileEntry>({ method: 'POST', path: servicePaths.restore(id) }),
      link: (id, body = {}) => service.call<DownloadLink>({ method: 'POST', path: servicePaths.links(id), body }),
    },
    shares: {
      create: (body) => service.call<Share>({ method: 'POST', path: servicePaths.shares(), body }),
      revoke: (id) => service.call<undefined>({ method: 'DELETE', path: servicePaths.share(id) }),
    },
    quarantine: {
      rescan: (versionId) => service.call<QuarantineOutcome>({ method: 'POST', path: servicePaths.rescan(versionId) }),
    },
    session: {
      get: (signal) =>
        service.call<Session>({
          method: 'GET',
          path: servicePaths.session(),
          ...(signal === undefined ? {} : { signal }),
        }),
      signIn: (token) => service.call<Session>({ method: 'POST', path: servicePaths.session(), body: { token } }),
      signOut: () => service.call<undefined>({ method: 'DELETE', path: servicePaths.session() }),
    },
    contentUrl: (id, disposition) => service.url(servicePaths.content(id), { disposition }),
    previewUrl: (id, preset) => service.url(servicePaths.preview(id, preset)),
  };
}

/** Whether this can be the file whose upload was begun: by name, size and, where it is remembered, time of change. */
export function isSameFile({ upload, remembered }: ResumableUpload, file: UploadSource): boolean {
  const sameTime = remembered?.lastModified === undefined || remembered.lastModified === file.lastModified;
  return upload.name === file.name && upload.sizeBytes === file.size && sameTime;
}

/** Throws `wrong-file`, saying why, when this cannot be the file whose upload was begun. */
export function assertSameFile(resumable: ResumableUpload, file: UploadSource): void {
  if (isSameFile(resumable, file)) return;
  const { name, sizeBytes } = resumable.upload;
  const changed = name === file.name && sizeBytes === file.size;
  throw new ClientError('wrong-file', {
    message: changed
      ? `“${file.name}” was changed since its upload was begun. Upload it anew.`
      : `“${name}” is needed to go on; “${file.name}” is another file.`,
  });
}
