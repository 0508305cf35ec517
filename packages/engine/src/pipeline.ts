// The life of a request, the same for every operation: locate → match → authenticate → authorize → screen → run → render.
// Each step is a function of its own file that throws an S3Error or returns a value; none but render touches the socket.

import { matchOperation, type OperationName, S3Error } from '@stowage/s3';
import { checkTime } from '@stowage/store';
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

/**
 * Answers one request; what goes wrong is answered too. Most of it happens before this returns: a promise is there only
 * while a handler waits for something, or an object is sent piece by piece.
 */
export function answer(exchange: Exchange, engine: EngineContext): Promise<void> | undefined {
  let crossOrigin: readonly string[] = [];
  const fail = (thrown: unknown): Promise<void> | undefined => renderError(exchange, engine, thrown, crossOrigin);
  try {
    const head = receiveHead(exchange.message, engine.limits);
    const address = locate(head.rawPath, head.headers.host, engine.domains);
    crossOrigin = crossOriginHeaders(engine, address, head);
    if (head.method === 'OPTIONS') return render(exchange, engine, preflight(engine, address, head), [])?.catch(fail);
    const result = run(admit(exchange, engine, head, address), engine);
    if (result instanceof Promise) {
      exchange.leaveTurn();
      return result.then((settled) => render(exchange, engine, settled, crossOrigin)).catch(fail);
    }
    return render(exchange, engine, result, crossOrigin)?.catch(fail);
  } catch (thrown) {
    return fail(thrown);
  }
}

/** Match, authenticate, authorize, screen: what comes out may be carried out. @throws S3Error. */
function admit(exchange: Exchange, engine: EngineContext, head: ReceivedHead, address: Address): S3Request {
  const operation = match(exchange, address, head);
  const { requester, payload, chunkSigning } = authenticate(head, address, engine);
  exchange.account = requester?.id ?? '';
  const bucket = address.bucket === '' ? undefined : engine.store.getBucket(address.bucket);
  authorize({ operation, requester, bucket });
  screen(operation, address, head, bucket);
  const body = openBody(exchange, head.headers, { requester, payload, chunkSigning });
  exchange.body = body;
  const { id, origin } = exchange;
  return { ...head, ...address, id, operation, requester, payload, body, origin, nowMs: checkTime(engine.clock()) };
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
