// One upload as the service keeps it: each call of its routes, retried until it is answered.

import type {
  CreateUploadRequest,
  SignedPart,
  SignedPartList,
  Upload,
  UploadedPart,
  UploadedPartList,
} from '@stowage/contract';
import type { Retrier } from './backoff.ts';
import type { ClientError } from './client-error.ts';
import type { ServiceConnection } from './service-connection.ts';
import { servicePaths } from './service-paths.ts';

/** How long the service may hold a question about state open. The contract's limit is 25. */
const waitSeconds = 20;

interface SessionParts {
  readonly service: ServiceConnection;
  readonly retrier: Retrier;
  readonly signal: AbortSignal;
  readonly onTrouble: (fault: ClientError | undefined) => void;
}

export interface UploadSession {
  /** Safe to repeat with one key: the service answers with the upload it made the first time. */
  create(request: CreateUploadRequest, idempotencyKey: string): Promise<Upload>;
  read(id: string): Promise<Upload>;
  /** Like read, but the service may wait a while for the state to become another one than known here. */
  watch(known: Upload): Promise<Upload>;
  /** What the bucket holds at this moment. */
  heldParts(id: string): Promise<readonly UploadedPart[]>;
  /** One attempt: the part queue retries. */
  sign(id: string, partNumbers: readonly number[], signal: AbortSignal): Promise<readonly SignedPart[]>;
  complete(id: string): Promise<Upload>;
  abort(id: string): Promise<void>;
}

export function openUploadSession({ service, retrier, signal, onTrouble }: SessionParts): UploadSession {
  const persist = <T>(attempt: () => Promise<T>): Promise<T> => retrier.retry(attempt, { signal, onTrouble });
  return {
    create: (body, idempotencyKey) =>
      persist(() =>
        service.call<Upload>({ method: 'POST', path: servicePaths.uploads(), body, idempotencyKey, signal }),
      ),
    read: (id) => persist(() => service.call<Upload>({ method: 'GET', path: servicePaths.upload(id), signal })),
    watch: ({ id, state }) =>
      persist(() =>
        service.call<Upload>({
          method: 'GET',
          path: servicePaths.upload(id),
          query: { wait: waitSeconds, state },
          waitMs: waitSeconds * 1000,
          signal,
        }),
      ),
    heldParts: async (id) => {
      const call = { method: 'GET', path: servicePaths.parts(id), signal } as const;
      return (await persist(() => service.call<UploadedPartList>(call))).parts;
    },
    sign: async (id, partNumbers, callSignal) => {
      const call = {
        method: 'POST',
        path: servicePaths.signParts(id),
        body: { partNumbers },
        signal: callSignal,
      } as const;
      return (await service.call<SignedPartList>(call)).parts;
    },
    complete: (id) => persist(() => service.call<Upload>({ method: 'POST', path: servicePaths.complete(id), signal })),
    abort: (id) => persist(() => service.call<undefined>({ method: 'DELETE', path: servicePaths.upload(id), signal })),
  };
}
