// The file service put together: database, bucket, domain, background work and HTTP. Nothing is read from the environment, and
// the service sees S3 alone: any endpoint will do. Design §6.

import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import { openArchives } from './archives.ts';
import { openS3Bucket } from './bucket/s3-bucket.ts';
import { publicOrigin, type S3Settings } from './bucket/s3-settings.ts';
import { openUrlSigner } from './bucket/sign-urls.ts';
import { completeUpload } from './complete-upload.ts';
import { copyBytes } from './copy-bytes.ts';
import { type DatabaseSettings, openDatabase } from './database/open-database.ts';
import { openDownloads } from './downloads.ts';
import { openFileKeys } from './file-key.ts';
import type { FileRecord } from './file-record.ts';
import { openFolders } from './folders.ts';
import { createApp } from './http/app.ts';
import { openConsolePages } from './http/console-pages.ts';
import { createHandlers } from './http/handlers.ts';
import { openMetrics } from './http/metrics.ts';
import { openSharePages } from './http/share-pages.ts';
import { chooseLimits, type FilesLimits } from './limits.ts';
import { errorFields, type FilesLog, silentLog } from './log.ts';
import { openFileMover } from './move-file.ts';
import { openPasswordHashes } from './password-hash.ts';
import { openPolicies, type UploadPolicies } from './policies.ts';
import { makePreviews } from './previews/make-previews.ts';
import { openPreviewMaker } from './previews/preview-maker.ts';
import { reconcile } from './reconcile.ts';
import { discardBytes, pruneVersions, purgeFile } from './removal.ts';
import { type ClamdSettings, openClamd } from './scanning/clamd.ts';
import { openSearch } from './search-files.ts';
import { openShareTokens } from './share-token.ts';
import { openShares } from './shares.ts';
import { openSignIn } from './sign-in.ts';
import { openStateWatch } from './state-watch.ts';
import { openStoredFiles } from './stored-files.ts';
import { openTrash } from './trash.ts';
import { openUploads } from './uploads.ts';
import { validateFile } from './validation.ts';
import { openVersions } from './versions.ts';
import { openWorker } from './worker.ts';

export interface FileServiceOptions {
  readonly s3: S3Settings;
  readonly database: DatabaseSettings;
  /** At least 32 bytes, the same for the life of the bucket: object keys carry a MAC made with it. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** Unpredictable bytes. Default `crypto.randomBytes`. */
  readonly random?: (sizeBytes: number) => Uint8Array;
  /** Default: nothing is logged. */
  readonly log?: FilesLog;
  readonly limits?: Partial<FilesLimits>;
  /** What may be uploaded, by category. Default: anything, in the category `default`. */
  readonly policies?: UploadPolicies;
  /** A running clamd. Default: files are not scanned, and their rows say so. */
  readonly clamd?: ClamdSettings;
  /** A built console to serve at `/`. Default: none. */
  readonly consoleDirectory?: string;
  /** Origins of pages, beside the service's own, that may call the API and send bytes to the bucket. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** The origin under which people reach the service, e.g. `https://files.example.com`. Its pages may send bytes too. */
  readonly publicUrl?: string;
  /** Whether jobs and deadlines are worked on by themselves. Default true; without it only `tick` does. */
  readonly background?: boolean;
}

export interface FileService {
  /** Answers one HTTP request; never throws. */
  fetch(request: Request, context?: { readonly clientAddress?: string }): Promise<Response>;
  /** A token for one sign-in as the owner; good once, for `limits.signInLinkLifeMs`. */
  issueSignInToken(): Promise<string>;
  /** Works on everything that is due now, and what follows from it, until nothing is due. */
  tick(): Promise<void>;
  /** Makes the bucket ready for uploads. Begun at opening and repeated by the first upload; throws when it fails. */
  prepared(): Promise<void>;
  /** Ends background work, waits for what runs, and closes the database. */
  close(): Promise<void>;
}

const minSecretBytes = 32;

/**
 * Opens the service. The endpoint need not be up yet. Throws when the database cannot be opened or was written by a newer
 * version, and a `RangeError` when an option is out of range.
 */
export async function openFileService(options: FileServiceOptions): Promise<FileService> {
  if (options.secret.byteLength < minSecretBytes) {
    throw new RangeError(`The secret has ${options.secret.byteLength} bytes; it needs at least ${minSecretBytes}.`);
  }
  const limits = chooseLimits(options.limits);
  const policies = openPolicies(options.policies);
  const { s3, clock = Date.now, random = randomBytes, log = silentLog } = options;
  const newId = ulidFactory(clock, random);
  const ownOrigin = options.publicUrl === undefined ? [] : [new URL(options.publicUrl).origin];
  const allowedOrigins = new Set([...ownOrigin, ...(options.allowedOrigins ?? [])]);

  const metrics = openMetrics();
  const watch = openStateWatch({ maxWaiting: limits.maxWaiting });
  const database = await openDatabase({ settings: options.database, clock, newId });
  const { files, accounts, outbox } = database;
  const bucket = openS3Bucket({ settings: s3, limits, log, origins: [...allowedOrigins] });
  const keys = openFileKeys(options.secret);
  const signer = openUrlSigner({ settings: s3, clock });
  const onMove = (file: FileRecord): void => {
    metrics.add('stowage_files_moves_total', 1, { state: file.state });
    watch.changed(file.id);
    worker.wake();
  };
  const mover = openFileMover({ files, clock, limits, policies, log, onMove });
  const scanner = options.clamd === undefined ? undefined : openClamd(options.clamd);
  const wake = (): void => worker.wake();
  const parts = {
    bucket,
    files,
    folders: database.folders,
    policies,
    scanner,
    log,
    mover,
    keys,
    signer,
    limits,
    clock,
    newId,
  };
  const uploads = openUploads({ ...parts, onJob: wake });
  const storedFiles = openStoredFiles(parts);
  const folders = openFolders({ ...parts, database, onTrashed: (fileId) => watch.changed(fileId) });
  const versions = openVersions({ ...parts, storedFiles });
  const trash = openTrash({ ...parts, storedFiles, onEmptied: wake });
  const shares = openShares({
    ...parts,
    database,
    tokens: openShareTokens(options.secret),
    passwords: openPasswordHashes(random),
    origin: (options.publicUrl ?? '').replace(/\/+$/, ''),
  });
  const archives = openArchives({ bucket, database, maxFiles: limits.maxArchiveFiles });
  const searchFiles = openSearch({ database, storedFiles });
  const signIn = openSignIn({ accounts, limits, clock, random, newId });
  const maker = openPreviewMaker(limits);

  const worker = openWorker({
    ...parts,
    database,
    log,
    handlers: {
      copy: (file) => copyBytes(file, parts),
      validate: (file) => validateFile(file, parts),
      preview: (file) => makePreviews(file, { ...parts, maker, log, onMove }),
      prune: (file) => pruneVersions(file, parts),
      discard: (file) => discardBytes(file, parts),
      purge: (file) => purgeFile(file, parts),
    },
    completeUpload: (file) => completeUpload(file, parts),
    reconcile: (file) => reconcile(file, parts),
    sweepFolders: () => folders.sweep(),
    onJob: (kind, outcome) => metrics.add('stowage_files_jobs_total', 1, { kind, outcome }),
  });

  const downloads = openDownloads({ signer, keys });
  const app = createApp({
    handlers: createHandlers({
      uploads,
      storedFiles,
      versions,
      trash,
      shares,
      archives,
      folders,
      searchFiles,
      downloads,
      signIn,
      watch,
      limits,
      s3,
    }),
    signIn,
    limits,
    clock,
    newId,
    log,
    metrics,
    measure: async () => {
      metrics.clear('stowage_files_files');
      for (const { state, count } of await files.count()) metrics.set('stowage_files_files', count, { state });
      metrics.set('stowage_files_outbox_jobs', await outbox.count());
    },
    allowedOrigins,
    sharePages: openSharePages({
      shares,
      archives,
      downloads,
      limits,
      clock,
      secret: options.secret,
      storageOrigin: publicOrigin(s3),
    }),
    consolePages:
      options.consoleDirectory === undefined
        ? undefined
        : openConsolePages({ directory: options.consoleDirectory, storageOrigin: publicOrigin(s3) }),
    alwaysSecure: options.publicUrl?.startsWith('https:') === true,
  });

  if (options.background !== false) {
    worker.start();
    bucket.prepare().catch((error: unknown) => {
      log.warn('The bucket is not ready; the next upload tries again.', { bucket: s3.bucket, ...errorFields(error) });
    });
  }

  let closing: Promise<void> | undefined;
  return {
    fetch: async (request, context = {}) => app.fetch(request, context),
    issueSignInToken: () => signIn.issueToken(),
    tick: () => worker.tick(),
    prepared: () => bucket.prepare(),
    close: () => {
      closing ??= (async () => {
        watch.close();
        maker.close();
        scanner?.close();
        await worker.close();
        bucket.close();
        await database.close();
      })();
      return closing;
    },
  };
}

/** Ids that sort by the time they were made, also within a millisecond. */
function ulidFactory(clock: () => number, random: (sizeBytes: number) => Uint8Array): () => string {
  const make = monotonicFactory(() => (random(1)[0] ?? 0) / 256);
  return () => make(clock());
}
