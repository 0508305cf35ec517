// The life of a request, the same for every operation: locate → match → authenticate → authorize → screen → run → render.
// Each step is a function of its own file that throws an S3Error or returns a value; none but render touches the socket.

import { matchOperation, type OperationName, S3Error } from '@stowage/s3';
import { authenticate } from './authenticate.ts';
import { authorize } from './authorize.ts';
import { crossOriginHeaders, preflight } from './cross-origin.ts';
import type { EngineContext } from './engine-context.ts';
import type { Exchange } from './exchange.ts';
import { handlers } from './handlers.ts';
import { type Address, locate } from './locate.ts';
import { openBody } from './open-body.ts';
import { render, renderError } from './render.ts';
import type { Result } from './result.ts';
import { type ReceivedHead, receiveHead, type S3Request } from './s3-request.ts';
import { screen } from './screen.ts';

/** Answers one request. Never rejects: what goes wrong is answered too. */
export async function answer(exchange: Exchange, engine: EngineContext): Promise<void> {
  let crossOrigin: readonly string[] = [];
  try {
    const head = receiveHead(exchange.message, engine.limits);
    const address = locate(head.rawPath, head.headers.host, engine.domains);
    crossOrigin = crossOriginHeaders(engine, address, head);
    if (head.method === 'OPTIONS') return await render(exchange, engine, preflight(engine, address, head), []);
    const operation = match(exchange, address, head);
    const identity = authenticate(head, address, engine);
    exchange.account = identity.requester?.id ?? '';
    const bucket = address.bucket === '' ? undefined : engine.store.getBucket(address.bucket);
    authorize({ operation, requester: identity.requester, bucket });
    screen(operation, address, head, bucket);
    exchange.body = openBody(exchange, head.headers, identity);
    const result = await run(
      {
        ...head,
        ...address,
        id: exchange.id,
        operation,
        requester: identity.requester,
        payload: identity.payload,
        body: exchange.body,
        origin: exchange.origin,
        nowMs: engine.clock(),
      },
      engine,
    );
    return await render(exchange, engine, result, crossOrigin);
  } catch (thrown) {
    return await renderError(exchange, engine, thrown, crossOrigin);
  }
}

function match(exchange: Exchange, address: Address, head: ReceivedHead): OperationName {
  const level = address.key !== '' ? 'object' : address.bucket !== '' ? 'bucket' : 'service';
  const operation = matchOperation({ method: head.method, level, query: head.query, headers: head.headers });
  exchange.operation = operation;
  return operation;
}

function run(request: S3Request, engine: EngineContext): Promise<Result> | Result {
  const handler = handlers[request.operation];
  if (handler === 'not-built') {
    throw new S3Error('NotImplemented', `${request.operation} is not implemented.`, {
      details: { Operation: request.operation },
    });
  }
  return handler(request, engine);
}
