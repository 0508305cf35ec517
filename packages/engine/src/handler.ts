// What an operation is made of: a function from a request to a plain result.

import type { EngineContext } from './engine-context.ts';
import type { Result } from './result.ts';
import type { S3Request } from './s3-request.ts';

/** Carries an operation out. Throws S3Error, or StoreError for what the store refuses. Never touches the socket. */
export type Handler = (request: S3Request, engine: EngineContext) => Promise<Result> | Result;

/** Stands in `handlers` for an operation that is answered with NotImplemented, by its name. */
export type NotBuilt = 'not-built';
