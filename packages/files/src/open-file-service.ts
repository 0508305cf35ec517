// The file service put together: ground, people, files, background work and HTTP, each a room of service/. Nothing is read from the
// environment, and the service sees S3 alone: any endpoint will do. Design §6.

import { publicOrigin } from './bucket/s3-settings.ts';
import type { FileServiceOptions } from './file-service-options.ts';
import { createApp } from './http/app.ts';
import { openConsolePages } from './http/console-pages.ts';
import { createHandlers } from './http/handlers.ts';
import type { AppEnvironment } from './http/request-context.ts';
import { sessionCookieName } from './http/request-context.ts';
import { openSharePages } from './http/share-pages.ts';
import { errorFields } from './log.ts';
import { requireOptions } from './require-options.ts';
import { closeService } from './service/close-service.ts';
import { measure } from './service/measure.ts';
import { type Background, openBackground } from './service/open-background.ts';
import { type Files, openFiles } from './service/open-files.ts';
import { type Ground, openGround } from './service/open-ground.ts';
import { openPeople, type People } from './service/open-people.ts';

export interface FileService {
  /** Answers one HTTP request; never throws. */
  fetch(request: Request, context?: AppEnvironment): Promise<Response>;
  /** A token for one sign-in as the owner; good once, for `limits.signInLinkLifeMs`. */
  issueSignInToken(): Promise<string>;
  /** Works on everything that is due now, and what follows from it, until nothing is due. */
  tick(): Promise<void>;
  /**
   * Makes the bucket ready for uploads and finds out what its endpoint can do. Begun at opening and repeated by the first upload;
   * throws when it fails, and when the endpoint does not suffice.
   */
  prepared(): Promise<void>;
  /**
   * Tries the endpoint out anew, whatever was found before, and tells what was found. That it does not suffice is believed only when
   * a second trial, a minute later at least, says so too.
   */
  probeEndpoint(): Promise<Readonly<Record<string, boolean>>>;
  /**
   * Takes no more work, waits for requests and jobs that run, for `graceMs` at most (default: as long as they need), breaks off and
   * gives back what has not ended then, and closes the database.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Opens the service. The endpoint need not be up yet. Throws when the database cannot be opened or was written by a newer
 * version, when the endpoint may not be tried out and its kind is none that files can be trusted to, and a `RangeError` when an option is
 * missing or out of range: of those without which nothing works it names all at once.
 */
export async function openFileService(options: FileServiceOptions): Promise<FileService> {
  requireOptions(options);
  const ground = await openGround(options);
  try {
    return await openOn(ground, options);
  } catch (error) {
    await ground.endpoint.close();
    await ground.database.close();
    await ground.tracing.close();
    throw error;
  }
}

async function openOn(ground: Ground, options: FileServiceOptions): Promise<FileService> {
  const { endpoint, bucket, log, s3 } = ground;
  const wake = (what?: 'folders'): void => background.worker.wake(what);
  const people = openPeople(ground, options);
  const files = openFiles(ground, { ...options, passwords: people.passwords, wake });
  const background: Background = await openBackground(ground, files, { ...options, wake });
  const app = openApp({ ground, people, files, background }, options);

  const prepared = async (): Promise<void> => {
    await bucket.prepare();
    await endpoint.profiles.current();
  };
  await endpoint.profiles.recall();
  // Events come in like requests, whether or not anything is worked on by itself.
  background.eventsIn.start();
  if (options.background !== false) {
    background.worker.start();
    background.orphans.start();
    prepared().catch((error: unknown) => {
      log.warn('The bucket is not ready; the next upload tries again.', { bucket: s3.bucket, ...errorFields(error) });
    });
  }

  const answering = new Set<Promise<unknown>>();
  const answered = async (): Promise<void> => {
    while (answering.size > 0) await Promise.all(answering);
  };
  let closing: Promise<void> | undefined;
  return {
    fetch: (request, context = {}) => {
      const answer = Promise.resolve(app.fetch(request, context)).finally(() => answering.delete(answer));
      answering.add(answer);
      return answer;
    },
    issueSignInToken: () => people.signIn.issueToken(),
    tick: async () => {
      await background.worker.tick();
      await background.orphans.work();
    },
    prepared,
    probeEndpoint: async () => (await endpoint.profiles.probe()).capabilities,
    close: ({ graceMs = Number.POSITIVE_INFINITY } = {}) => {
      closing ??= closeService(ground, background, { graceMs, answered });
      return closing;
    },
  };
}

interface Rooms {
  readonly ground: Ground;
  readonly people: People;
  readonly files: Files;
  readonly background: Background;
}

function openApp(
  { ground, people, files, background }: Rooms,
  options: FileServiceOptions,
): ReturnType<typeof createApp> {
  const { database, s3, usage } = ground;
  const storageOrigin = publicOrigin(s3);
  const { consoleDirectory } = options;
  const alwaysSecure = options.publicUrl !== undefined && new URL(options.publicUrl).protocol === 'https:';
  return createApp({
    ...ground,
    handlers: createHandlers({
      ...ground,
      ...people,
      ...files,
      audit: database.audit,
      orphans: background.orphans,
      providers: people.oidc.providers,
    }),
    recognise: people.recognise,
    eventsWebhook: background.eventsIn.webhook,
    measure: () => measure(ground),
    warning: () => ground.endpoint.clock.problem(),
    onRequest: (tenantId) => usage.requested(tenantId),
    sharePages: openSharePages({ ...ground, ...files, storageOrigin, alwaysSecure }),
    consolePages:
      consoleDirectory === undefined ? undefined : openConsolePages({ directory: consoleDirectory, storageOrigin }),
    alwaysSecure,
    sessionCookie: sessionCookieName(options.publicUrl),
  });
}
