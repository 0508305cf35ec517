// Uploads: announced, sent in parts, completed, given up.

import { fileStates, type Upload } from '@stowage/contract';
import { isFilesError } from '../../files-error.ts';
import type { StateWatch } from '../../lifecycle/state-watch.ts';
import type { Uploads } from '../../uploads/uploads.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';
import { problemOf } from '../problem-response.ts';

export interface UploadHandlersOptions {
  readonly uploads: Uploads;
  readonly watch: StateWatch;
}

export function uploadHandlers({ uploads, watch }: UploadHandlersOptions): HandlersOf<'uploads'> {
  return {
    createUpload: async ({ caller, body, idempotencyKey }) => ({
      body: await uploads.create(caller.account, body, idempotencyKey),
    }),
    createUploads: async ({ caller, body, idempotencyKey }) => {
      const outcomes = await uploads.createAll(caller.account, body.uploads, idempotencyKey);
      return {
        body: {
          results: outcomes.map((outcome) =>
            isFilesError(outcome) ? { problem: problemOf(outcome) } : { upload: outcome },
          ),
        },
      };
    },
    listUploads: async ({ caller, query, access }) => {
      // Who may not change files sees only what they bring themselves.
      const userId = access.everywhere('files:write') ? undefined : caller.account.userId;
      return { body: await uploads.list(caller.account.tenantId, query, userId) };
    },
    getUpload: async (call) => ({ body: await waitForChange(call, { uploads, watch }) }),
    listParts: async (call) => ({
      body: { parts: await uploads.listParts(call.caller.account.tenantId, idOf(call)) },
    }),
    signParts: async (call) => ({
      body: { parts: await uploads.signParts(call.caller.account.tenantId, idOf(call), call.body) },
    }),
    completeUpload: async (call) => ({ body: await uploads.complete(call.caller.account.tenantId, idOf(call)) }),
    abortUpload: async (call) => {
      await uploads.abort(call.caller.account.tenantId, idOf(call));
      return { body: undefined };
    },
  };
}

/** The upload now, or after its next change if it is not at rest, or when the time is over. */
async function waitForChange(call: Call<'getUpload'>, { uploads, watch }: UploadHandlersOptions): Promise<Upload> {
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
