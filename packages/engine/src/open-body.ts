// How a request's body travels, told from its headers: its length, and whether it is aws-chunked. Nothing is read here.
// Spec: "Transferring Payload in Multiple Chunks" of the S3 API reference.

import { createChunkDecoder, type PayloadHash, parseTrailerNames, type RequestHeaders, S3Error } from '@stowage/s3';
import type { Identity } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { type BodyDecoder, IncomingBody } from './incoming-body.ts';

/** @throws S3Error `MissingContentLength`, `InvalidArgument`, `InvalidRequest`. */
export function openBody(exchange: Exchange, headers: RequestHeaders, identity: Identity): IncomingBody {
  const decoder = makeDecoder(headers, identity);
  const announced = decoder === undefined ? headers['content-length'] : headers['x-amz-decoded-content-length'];
  return new IncomingBody({
    message: exchange.message,
    decoder,
    sizeBytes: announced === undefined ? undefined : Number(announced),
    onBegin: exchange.expectsContinue ? () => exchange.response.writeContinue() : undefined,
  });
}

/** S3 takes a body only with its length told before, or with a framing of its own. @throws S3Error `MissingContentLength`. */
export function requireLength(headers: RequestHeaders): void {
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    throw new S3Error('MissingContentLength');
  }
}

function makeDecoder(headers: RequestHeaders, identity: Identity): BodyDecoder | undefined {
  const { payload } = identity;
  if (payload.kind !== 'chunked') return undefined;
  const options = {
    decodedLength: decodedLength(headers),
    declaredTrailers: parseTrailerNames(headers['x-amz-trailer']),
  };
  const decoder =
    payload.mode === 'unsigned-trailer'
      ? createChunkDecoder({ ...options, mode: payload.mode })
      : createChunkDecoder({ ...options, mode: payload.mode, signing: signingOf(identity, payload) });
  return { decode: (chunk) => decoder.push(chunk), end: () => decoder.finish().trailers };
}

function decodedLength(headers: RequestHeaders): number {
  const text = headers['x-amz-decoded-content-length'];
  if (text === undefined) {
    throw new S3Error(
      'MissingContentLength',
      'You must provide the x-amz-decoded-content-length HTTP header with an aws-chunked body.',
    );
  }
  if (!/^\d{1,15}$/.test(text)) {
    throw new S3Error('InvalidArgument', 'x-amz-decoded-content-length must be a number of bytes.', {
      details: { ArgumentName: 'x-amz-decoded-content-length', ArgumentValue: text },
    });
  }
  return Number(text);
}

function signingOf(identity: Identity, payload: PayloadHash): NonNullable<Identity['chunkSigning']> {
  if (identity.chunkSigning !== undefined) return identity.chunkSigning;
  throw new S3Error('InvalidRequest', `${payload.text} needs a signed request: its chunks are signed after it.`);
}
