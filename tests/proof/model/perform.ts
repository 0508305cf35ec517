// Carries a request of the model out, on the real service and the real bucket, as a client does. Answers the status; what a client
// learns beside it (ids, URLs, addresses) goes into the client's memory.

import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3';
import type { Share, SignedPartList, SignedRequest, Upload } from '@stowage/contract';
import { type Caller, eventsSecret, type ProofWorld, serviceOrigin } from '../proof-world.ts';
import type { Request as ModelRequest } from './bound-command.ts';
import type { SendFacts } from './predict.ts';

/** What the clients of one tenant remember. */
export interface ClientMemory {
  /** The request that came with each announcement. */
  readonly requests: Map<string, SignedRequest>;
  readonly firstRequests: Map<string, SendFacts>;
  /** Every URL that can write, by its key. */
  readonly handedOut: { readonly key: string; readonly expiresAtMs: number }[];
  readonly made: Share[];
}

export interface Answer {
  readonly status: number;
  /** What came, where it was refused: for the report. */
  readonly detail: string;
}

export async function perform(
  world: ProofWorld,
  caller: Caller,
  memory: ClientMemory,
  request: ModelRequest,
): Promise<Answer> {
  const { instance } = request;
  switch (request.kind) {
    case 'create': {
      const { body, idempotencyKey } = request;
      const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
      return announced(memory, await world.respond('createUpload', caller, { body, headers, instance }));
    }
    case 'createAgain': {
      const { body, key } = request.announcement;
      const headers = { 'idempotency-key': key };
      return announced(
        memory,
        await world.respond('createUpload', caller, { body: JSON.parse(body), headers, instance }),
      );
    }
    case 'copy':
      return announced(
        memory,
        await world.respond('copyFile', caller, { params: { id: request.file.lineId }, body: {}, instance }),
      );
    case 'send':
    case 'sendWrong':
    case 'sendAgain':
      return send(world, caller, memory, request);
    case 'hint': {
      const record = { s3: { bucket: { name: world.bucketName }, object: { key: request.file.arrivalKey } } };
      const headers = { authorization: `Bearer ${eventsSecret}`, 'content-type': 'application/json' };
      const url = new URL('/internal/s3-events', serviceOrigin);
      // Twice: duplicates are hints too.
      const body = JSON.stringify({ Records: [record, record] });
      return answerOf(await world.send(new Request(url, { method: 'POST', headers, body }), instance));
    }
    case 'complete':
      return answerOf(await world.respond('completeUpload', caller, { params: { id: request.file.id }, instance }));
    case 'abort':
      return answerOf(await world.respond('abortUpload', caller, { params: { id: request.file.id }, instance }));
    case 'abortOutside':
      return abortOutside(world, request);
    case 'trash':
      return answerOf(await world.respond('deleteFile', caller, { params: { id: request.file.lineId }, instance }));
    case 'restore':
      return answerOf(await world.respond('restoreFile', caller, { params: { id: request.file.lineId }, instance }));
    case 'purge':
      return answerOf(await world.respond('purgeFile', caller, { params: { id: request.file.lineId }, instance }));
    case 'emptyTrash':
      return answerOf(await world.respond('emptyTrash', caller, { instance }));
    case 'restoreVersion':
    case 'deleteVersion': {
      const params = { id: request.file.lineId, versionId: request.file.id };
      return answerOf(await world.respond(request.kind, caller, { params, instance }));
    }
    case 'rename':
    case 'move': {
      const onConflict = request.keepBoth ? 'keep-both' : 'refuse';
      const body =
        request.kind === 'rename' ? { name: request.name, onConflict } : { folderId: request.folderId, onConflict };
      return answerOf(
        await world.respond('changeFile', caller, {
          params: { id: request.file.lineId },
          body: { ...body, onConflict: request.keepBoth ? 'keep-both' : 'refuse' },
          instance,
        }),
      );
    }
    case 'folder': {
      const { folderId } = request;
      if (folderId === undefined)
        return answerOf(await world.respond('createFolder', caller, { body: { name: 'Folder' }, instance }));
      return answerOf(await world.respond('deleteFolder', caller, { params: { id: folderId }, instance }));
    }
    case 'share': {
      const { file, maxDownloads } = request;
      const response = await world.respond('createShare', caller, {
        body: { fileId: file.lineId, maxDownloads },
        instance,
      });
      // Checked by the status alone; the shape is the contract's.
      if (response.status === 201) memory.made.push((await response.clone().json()) as Share);
      return answerOf(response);
    }
    case 'openShare': {
      const { path, lineId } = request.share;
      const url = new URL(`${path}/files/${lineId}`, serviceOrigin);
      return answerOf(await world.send(new Request(url, { headers: { accept: 'application/json' } }), instance));
    }
    case 'revokeShare':
      return answerOf(await world.respond('revokeShare', caller, { params: { id: request.share.id }, instance }));
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, detail: text.slice(0, 300) };
}

async function announced(memory: ClientMemory, response: Response): Promise<Answer> {
  if (response.status === 201) {
    // Checked by the status alone; the shape is the contract's.
    const upload = (await response.clone().json()) as Upload;
    if (upload.request !== undefined) remember(memory, upload.id, upload.request);
  }
  return answerOf(response);
}

function remember(memory: ClientMemory, id: string, request: SignedRequest): void {
  const expiresAtMs = Date.parse(request.expiresAt);
  if (!memory.requests.has(id)) {
    memory.requests.set(id, request);
    memory.firstRequests.set(id, { expiresAtMs });
  }
  noteUrl(memory, request);
}

function noteUrl(memory: ClientMemory, request: SignedRequest): void {
  const [, , ...rest] = new URL(request.url).pathname.split('/');
  const key = request.fields?.key ?? decodeURIComponent(rest.join('/'));
  memory.handedOut.push({ key, expiresAtMs: Date.parse(request.expiresAt) });
}

async function send(
  world: ProofWorld,
  caller: Caller,
  memory: ClientMemory,
  {
    kind,
    file,
    content,
    partNumber,
    partChecksum,
    instance,
  }: Extract<ModelRequest, { readonly kind: 'send' | 'sendAgain' | 'sendWrong' }>,
): Promise<Answer> {
  if (file.strategy === 'multipart') {
    const signed = await world.respond('signParts', caller, {
      params: { id: file.id },
      body: {
        partNumbers: [partNumber],
        ...(partChecksum === undefined ? {} : { checksums: { [partNumber]: partChecksum } }),
      },
      instance,
    });
    if (signed.status !== 200) return answerOf(signed);
    // Checked by the status alone; the shape is the contract's.
    const { parts } = (await signed.json()) as SignedPartList;
    const [part] = parts;
    if (part === undefined) throw new Error('One part was to be signed, and none came back.');
    noteUrl(memory, part);
    return sendBytes(part, content);
  }
  let request = memory.requests.get(file.id);
  if (kind === 'send') {
    const upload = await world.call('getUpload', caller, { params: { id: file.id }, instance });
    if (upload.request !== undefined) noteUrl(memory, upload.request);
    request = upload.request ?? request;
  }
  return request === undefined ? { status: 403, detail: 'There never was a request.' } : sendBytes(request, content);
}

async function sendBytes(request: SignedRequest, content: string): Promise<Answer> {
  const bytes = Buffer.from(content, 'latin1');
  if (request.method === 'PUT') {
    return answerOf(await fetch(request.url, { method: 'PUT', headers: request.headers, body: bytes }));
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(request.fields ?? {})) form.append(name, value);
  form.append('file', new Blob([bytes]));
  const response = await fetch(request.url, { method: 'POST', headers: request.headers, body: form });
  const answer = await answerOf(response);
  // A form is answered by 204 or 201, as it asks; to the model it is sent.
  return response.ok ? { ...answer, status: 200 } : answer;
}

/** As another program with rights on the bucket might, or a rule of its life cycle. */
async function abortOutside(
  world: ProofWorld,
  { file }: Extract<ModelRequest, { readonly kind: 'abortOutside' }>,
): Promise<Answer> {
  const { client, name } = world.bucket;
  const upload = { Bucket: name, Key: file.arrivalKey, UploadId: file.multipartUploadId ?? '' };
  try {
    await client.send(new AbortMultipartUploadCommand(upload));
  } catch (error) {
    // Twice is as good as once.
    if (!(error instanceof Error) || error.name !== 'NoSuchUpload') throw error;
  }
  return { status: 204, detail: '' };
}
