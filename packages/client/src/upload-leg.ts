// One leg of an upload: announce it or read where it stands, send what the bucket lacks, have it confirmed, wait until it
// is checked. A leg begins with what the server says and keeps nothing of its own, so that a pause, a reload and a crash
// of either side are all the same: the leg ends, another begins. Its controls and what is shown of it: upload.ts.

import { type CreateUploadRequest, type FileState, fileStates, type Upload, type UploadMeans } from '@stowage/contract';
import { asClientError, ClientError } from './client-error.ts';
import type { FileHandle, ResumeStore } from './resume-store.ts';
import { type SendingParts, sendBytes } from './send-bytes.ts';
import type { ServiceConnection } from './service-connection.ts';
import { openUploadSession, type UploadSession } from './upload-session.ts';
import type { UploadSource } from './upload-source.ts';

/** What the uploads of one client share. */
export interface UploadParts extends SendingParts {
  readonly service: ServiceConnection;
  readonly resumeStore: ResumeStore;
}

export interface UploadSpec {
  readonly source: UploadSource;
  /** MIME type to announce. */
  readonly contentType: string;
  readonly folder: readonly string[];
  readonly handle: FileHandle | undefined;
}

export interface LegReport {
  /** Throws when the leg has been ended. */
  enter(next: 'starting' | 'sending' | 'confirming' | 'checking' | 'ready'): void;
  onTrouble(fault: ClientError | undefined): void;
  onSent(sentBytes: number): void;
  /** The service knows the upload. */
  onAnnounced(upload: Upload): void;
  /** The bytes are safe. */
  onStored(upload: Upload): void;
}

interface LegOptions {
  readonly parts: UploadParts;
  readonly spec: UploadSpec;
  /** Of an upload that was begun before. */
  readonly id: string | undefined;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly report: LegReport;
}

/** All that there are. Written out: the contract's list stands among schemas, which a page need not load. */
const means = ['put', 'form', 'multipart'] as const satisfies readonly UploadMeans[];

/** How often a leg may find that the bucket does not hold what was sent, before that is an error. */
const maxRounds = 4;

/** Resolves when the file is ready. Rejects with a ClientError, or with the signal's reason. */
export async function runLeg(leg: LegOptions): Promise<Upload> {
  const { parts, signal, report } = leg;
  const session = openUploadSession({ ...parts, signal, onTrouble: report.onTrouble });
  report.enter('starting');
  const announced = await announce(leg, session);
  report.onAnnounced(announced);
  let upload = await sendUntilStored(leg, session, announced);
  report.enter('checking');
  report.onSent(upload.sizeBytes);
  await parts.resumeStore.forget(upload.id);
  report.onStored(upload);
  while (isBeingChecked(upload.state)) upload = await session.watch(upload);
  assertUsable(upload);
  report.enter('ready');
  return upload;
}

/** Makes the upload, or reads the one that was begun. */
async function announce({ parts, spec, id, idempotencyKey }: LegOptions, session: UploadSession): Promise<Upload> {
  const { source, handle } = spec;
  if (id !== undefined) {
    const known = await session.read(id);
    if (known.sizeBytes === source.size && known.name === source.name) return known;
    throw new ClientError('wrong-file', {
      message: `“${known.name}” (${known.sizeBytes} bytes) is wanted; “${source.name}” has ${source.size} bytes.`,
    });
  }
  const made = await session.create(describe(spec), idempotencyKey);
  await parts.resumeStore.remember({
    uploadId: made.id,
    ...(source.lastModified === undefined ? {} : { lastModified: source.lastModified }),
    ...(handle === undefined ? {} : { handle }),
  });
  return made;
}

/** What the service is told of a file. */
export function describe({ source, contentType, folder }: UploadSpec): CreateUploadRequest {
  return {
    name: source.name,
    sizeBytes: source.size,
    contentType,
    accepts: means,
    ...(folder.length === 0 ? {} : { folder }),
    ...(source.lastModified === undefined ? {} : { modifiedAt: new Date(source.lastModified).toISOString() }),
  };
}

/** Sends and confirms until the service says that the bytes are safe. */
async function sendUntilStored(leg: LegOptions, session: UploadSession, announced: Upload): Promise<Upload> {
  const { parts, spec, signal, report } = leg;
  let upload = announced;
  for (let round = 1; !isStored(upload.state); round += 1) {
    if (round > maxRounds) throw new ClientError('out-of-step');
    try {
      if (upload.state !== 'completing') {
        report.enter('sending');
        await sendBytes({ ...parts, ...report, upload, source: spec.source, session, signal }).catch(unlessOutOfStep);
      }
      report.enter('confirming');
      upload = await session.complete(upload.id);
    } catch (fault) {
      if (signal.aborted || !isSettledByService(asClientError(fault))) throw fault;
      upload = await session.read(upload.id);
    }
    // The bucket may take its time to join the parts.
    while (upload.state === 'completing') upload = await session.watch(upload);
  }
  return upload;
}

/** Past the point where bytes can be lost. Throws when the upload has ended otherwise. */
function isStored(state: FileState): boolean {
  if (state === 'pending' || state === 'uploading' || state === 'completing') return false;
  if (state === 'aborted' || state === 'expired') throw new ClientError('upload-gone');
  return true;
}

function isBeingChecked(state: FileState): boolean {
  return state === 'uploaded' || state === 'validating' || state === 'scanning';
}

function assertUsable({ state, reason }: Upload): void {
  if (fileStates[state].downloadable) return;
  const code = state === 'rejected' || state === 'quarantined' || state === 'scan-failed' ? state : 'upload-gone';
  throw new ClientError(code, reason === undefined ? {} : { message: reason });
}

/** A bucket that says the bytes are there already, or the upload is not: the service finds out when it confirms. */
function unlessOutOfStep(fault: unknown): void {
  if (asClientError(fault).code !== 'out-of-step') throw fault;
}

/** Faults after which the service knows better than we do where the upload stands. */
function isSettledByService({ code }: ClientError): boolean {
  return code === 'parts-missing' || code === 'wrong-state';
}
