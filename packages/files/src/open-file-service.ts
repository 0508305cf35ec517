// The file service put together: database, bucket, domain, background work and HTTP. Nothing is read from the environment, and
// the service sees S3 alone: any endpoint will do. Design §6.

import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import { openApiKeys } from './accounts/api-keys.ts';
import { openAuditLog } from './accounts/audit-log.ts';
import { openBearerTokens } from './accounts/bearer-tokens.ts';
import { type IssuerTable, openIssuers } from './accounts/issuers.ts';
import { openInvitations, openMembers } from './accounts/members.ts';
import { openNamedUsers } from './accounts/named-users.ts';
import { openOidcSignIn } from './accounts/oidc-sign-in.ts';
import { openOwnAccount } from './accounts/own-account.ts';
import { openPasswordHashes } from './accounts/password-hash.ts';
import { openRecognise } from './accounts/recognise.ts';
import { openSecondFactor } from './accounts/second-factor.ts';
import { openSignIn } from './accounts/sign-in.ts';
import { openTenants } from './accounts/tenants.ts';
import type { EndpointOptions } from './bucket/endpoint-profiles.ts';
import type { StorageMeter } from './bucket/guard-requests.ts';
import { openEndpoint } from './bucket/open-endpoint.ts';
import { publicOrigin, type S3Settings } from './bucket/s3-settings.ts';
import { openUrlSigner } from './bucket/sign-urls.ts';
import { type DatabaseSettings, openDatabase } from './database/open-database.ts';
import { type EventsInOptions, openEventsIn } from './events-in/open-events-in.ts';
import { openFileKeys } from './file-key.ts';
import type { FileRecord } from './file-record.ts';
import { createApp } from './http/app.ts';
import { openConsolePages } from './http/console-pages.ts';
import { createHandlers } from './http/handlers.ts';
import { type Metrics, openMetrics } from './http/metrics.ts';
import { openRateLimit } from './http/rate-limit.ts';
import { openSharePages } from './http/share-pages.ts';
import { copyBytes } from './lifecycle/copy-bytes.ts';
import { openFileMover } from './lifecycle/move-file.ts';
import { removeStaged } from './lifecycle/promote.ts';
import { reconcile } from './lifecycle/reconcile.ts';
import { discardBytes, pruneVersions, purgeFile } from './lifecycle/removal.ts';
import { openStateWatch } from './lifecycle/state-watch.ts';
import { validateFile } from './lifecycle/validation.ts';
import { openWorker } from './lifecycle/worker.ts';
import { chooseLimits, type FilesLimits } from './limits.ts';
import { errorFields, type FilesLog, silentLog } from './log.ts';
import { openPolicies, type UploadPolicies } from './policies.ts';
import { makePreviews } from './previews/make-previews.ts';
import { openPreviewMaker } from './previews/preview-maker.ts';
import { findPreviewPrograms } from './previews/preview-programs.ts';
import { type ClamdSettings, openClamd } from './scanning/clamd.ts';
import { openArchives } from './sharing/archives.ts';
import { openDownloads } from './sharing/downloads.ts';
import { openShareTokens } from './sharing/share-token.ts';
import { openShares } from './sharing/shares.ts';
import { openFolders } from './tree/folders.ts';
import { openSearch } from './tree/search-files.ts';
import { openStoredFiles } from './tree/stored-files.ts';
import { openTrash } from './tree/trash.ts';
import { openVersions } from './tree/versions.ts';
import { completeUpload } from './uploads/complete-upload.ts';
import { openUploads } from './uploads/uploads.ts';
import { openSecretBox } from './webhooks/secret-box.ts';
import { openWebhooks } from './webhooks/webhooks.ts';

export interface FileServiceOptions {
  readonly s3: S3Settings;
  /** What the endpoint is and may be asked. Default: it is tried out. */
  readonly endpoint?: EndpointOptions;
  /** On which ways the endpoint tells of its bucket. Default: on none; the service then looks by itself, later. */
  readonly eventsIn?: EventsInOptions;
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
  /** Whether webhooks may go to plain http and to addresses of private networks. Default false. */
  readonly allowPrivateWebhooks?: boolean;
  /** Whether the audit log tells of downloads too: a write for each. Default false. */
  readonly auditDownloads?: boolean;
  /** Whose tokens are taken, and where people can sign in beside here. Default: nobody's, and nowhere. */
  readonly issuers?: IssuerTable;
  /** For what is asked of issuers. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
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
  /**
   * Makes the bucket ready for uploads and finds out what its endpoint can do. Begun at opening and repeated by the first upload;
   * throws when it fails, and when the endpoint does not suffice.
   */
  prepared(): Promise<void>;
  /** Tries the endpoint out anew, whatever was found before. */
  probeEndpoint(): Promise<Readonly<Record<string, boolean>>>;
  /** Ends background work, waits for what runs, and closes the database. */
  close(): Promise<void>;
}

const minSecretBytes = 32;

/**
 * Opens the service. The endpoint need not be up yet. Throws when the database cannot be opened or was written by a newer
 * version, when the endpoint was found before to be none that files can be trusted to, and a `RangeError` when an option is out
 * of range.
 */
export async function openFileService(options: FileServiceOptions): Promise<FileService> {
  if (options.secret.byteLength < minSecretBytes) {
    throw new RangeError(`The secret has ${options.secret.byteLength} bytes; it needs at least ${minSecretBytes}.`);
  }
  const limits = chooseLimits(options.limits);
  const policies = openPolicies(options.policies);
  const { s3, clock = Date.now, random = randomBytes, log = silentLog } = options;
  const newId = ulidFactory(clock, random);
  const origin = (options.publicUrl ?? '').replace(/\/+$/, '');
  const fetch = options.fetch ?? globalThis.fetch;
  const auditDownloads = options.auditDownloads === true;
  const issuers = openIssuers({ issuers: options.issuers ?? {}, clock, fetch, origin });
  const ownOrigin = options.publicUrl === undefined ? [] : [new URL(options.publicUrl).origin];
  const allowedOrigins = new Set([...ownOrigin, ...(options.allowedOrigins ?? [])]);

  const metrics = openMetrics();
  const watch = openStateWatch({ maxWaiting: limits.maxWaiting });
  const database = await openDatabase({ settings: options.database, clock, newId, secret: options.secret });
  if (database.rowSecurity === 'bypassed') {
    log.warn(
      'Row-level security does not hold: the role of the database is a superuser or has BYPASSRLS. Give the service an ordinary role that owns its tables.',
      {},
    );
  }
  const { files, outbox } = database;
  const keys = openFileKeys(options.secret);
  const chance = (): number => (random(1)[0] ?? 0) / 256;
  const endpoint = openEndpoint({
    settings: s3,
    given: options.endpoint ?? {},
    table: database.endpoints,
    keys,
    limits,
    clock,
    random: chance,
    newId,
    fetch: globalThis.fetch,
    log,
    origins: [...allowedOrigins],
    meter: storageMeter(metrics),
  });
  const { bucket, profiles } = endpoint;
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
    capabilities: async () => (await profiles.current()).capabilities,
    // Nobody waits for a job.
    maxPromotedBytes: Number.MAX_SAFE_INTEGER,
  };
  const uploads = openUploads({ ...parts, seals: options.endpoint?.seals, onJob: wake });
  const storedFiles = openStoredFiles(parts);
  const folders = openFolders({ ...parts, database, onTrashed: (fileId) => watch.changed(fileId) });
  const versions = openVersions({ ...parts, storedFiles });
  const trash = openTrash({ ...parts, storedFiles, onEmptied: wake });
  const passwords = openPasswordHashes(random);
  const shares = openShares({
    ...parts,
    database,
    tokens: openShareTokens(options.secret),
    passwords,
    origin,
    auditDownloads,
  });
  const archives = openArchives({ bucket, database, maxFiles: limits.maxArchiveFiles });
  const webhooks = openWebhooks({
    ...parts,
    table: database.webhooks,
    secrets: openSecretBox(options.secret, random),
    allowPrivate: options.allowPrivateWebhooks === true,
    random,
    onDue: wake,
    onDelivery: (outcome) => metrics.add('stowage_files_webhook_deliveries_total', 1, { outcome }),
  });
  const searchFiles = openSearch({ database, storedFiles });
  const tries = openRateLimit({
    perSecond: limits.passwordTriesPerMinute / 60,
    burst: limits.passwordTriesPerMinute,
    clock,
  });
  const secondFactor = openSecondFactor({ users: database.users, secret: options.secret, clock, random });
  const people = { ...parts, ...database, database, passwords, secondFactor, tries, random };
  const signIn = openSignIn(people);
  const ownAccount = openOwnAccount(people);
  const findNamed = openNamedUsers(people);
  const oidc = openOidcSignIn({ ...people, issuers, findNamed, signIn, secret: options.secret, fetch, origin });
  const apiKeys = openApiKeys(people);
  const invitations = openInvitations({ limits, clock, random, origin });
  const maker = openPreviewMaker(limits, await findPreviewPrograms(limits));

  const worker = openWorker({
    ...parts,
    database,
    log,
    handlers: {
      reconcile: async (file) => void (await reconcile(file, parts)),
      unstage: (file) => removeStaged(file, parts),
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
    deliverWebhooks: () => webhooks.deliver(),
    onJob: (kind, outcome) => metrics.add('stowage_files_jobs_total', 1, { kind, outcome }),
  });

  const eventsIn = openEventsIn({
    ...parts,
    given: options.eventsIn ?? {},
    s3,
    outbox,
    maxBodyBytes: limits.maxRequestBodyBytes,
    random: chance,
    onTaken: wake,
    onHint: (outcome) => metrics.add('stowage_files_storage_events_total', 1, { outcome }),
    onMessage: (outcome) => metrics.add('stowage_files_storage_messages_total', 1, { outcome }),
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
      webhooks,
      folders,
      searchFiles,
      downloads,
      signIn,
      ownAccount,
      apiKeys,
      members: openMembers({ ...people, invitations }),
      tenants: openTenants({ ...people, invitations }),
      audit: database.audit,
      auditDownloads,
      auditLog: openAuditLog({ audit: database.audit, secret: options.secret }),
      providers: oidc.providers,
      oidc,
      watch,
      limits,
      s3,
    }),
    eventsWebhook: eventsIn.webhook,
    recognise: openRecognise({ ...people, apiKeys, recogniseToken: openBearerTokens({ issuers, findNamed }) }),
    database,
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

  const prepared = async (): Promise<void> => {
    await bucket.prepare();
    await profiles.current();
  };
  try {
    await profiles.recall();
  } catch (error) {
    await database.close();
    throw error;
  }
  // Events come in like requests, whether or not anything is worked on by itself.
  eventsIn.start();
  if (options.background !== false) {
    worker.start();
    prepared().catch((error: unknown) => {
      log.warn('The bucket is not ready; the next upload tries again.', { bucket: s3.bucket, ...errorFields(error) });
    });
  }

  let closing: Promise<void> | undefined;
  return {
    fetch: async (request, context = {}) => app.fetch(request, context),
    issueSignInToken: () => signIn.issueToken(),
    tick: () => worker.tick(),
    prepared,
    probeEndpoint: async () => (await profiles.probe()).capabilities,
    close: () => {
      closing ??= (async () => {
        watch.close();
        maker.close();
        scanner?.close();
        await eventsIn.close();
        await worker.close();
        await endpoint.close();
        await database.close();
      })();
      return closing;
    },
  };
}

function storageMeter(metrics: Metrics): StorageMeter {
  return {
    request: (operation, outcome) => metrics.add('stowage_files_storage_requests_total', 1, { operation, outcome }),
    retry: (operation) => metrics.add('stowage_files_storage_retries_total', 1, { operation }),
    circuit: (state) => metrics.set('stowage_files_storage_circuit', { closed: 0, 'half-open': 1, open: 2 }[state]),
  };
}

/** Ids that sort by the time they were made, also within a millisecond. */
function ulidFactory(clock: () => number, random: (sizeBytes: number) => Uint8Array): () => string {
  const make = monotonicFactory(() => (random(1)[0] ?? 0) / 256);
  return () => make(clock());
}
