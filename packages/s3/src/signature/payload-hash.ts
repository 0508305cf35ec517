// `x-amz-content-sha256`: what a request says about its own body, and so how the body is read.
// Spec: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" of the S3 API
// reference. Checking a body against its hash is the engine's affair; reading aws-chunked is chunk-decoder.ts.

import { S3Error } from '../errors.ts';

/** What `x-amz-content-sha256` says of the body. `text` is the header's value, which is also what is signed. */
export type PayloadHash =
  /** The body's SHA-256 in lower-case hex. */
  | { readonly kind: 'sha256'; readonly text: string }
  /** Any body will do. */
  | { readonly kind: 'unsigned'; readonly text: 'UNSIGNED-PAYLOAD' }
  /** The body is aws-chunked, and read by a chunk decoder of this mode. */
  | { readonly kind: 'chunked'; readonly mode: ChunkMode; readonly text: string }
  /** Nothing was said. Fine when anonymous; STS signs so, and then the caller must hash the body itself. */
  | { readonly kind: 'absent'; readonly text: '' };

/** The three ways an aws-chunked body comes. */
export type ChunkMode = 'signed' | 'signed-trailer' | 'unsigned-trailer';

/** The value of `x-amz-content-sha256` for each chunk mode. */
export const chunkedPayloads: Readonly<Record<ChunkMode, string>> = {
  signed: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'signed-trailer': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'unsigned-trailer': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
};

/** The value of `x-amz-content-sha256` that lets any body pass. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

const fixedPayloads: ReadonlyMap<string, PayloadHash> = new Map<string, PayloadHash>([
  ['', { kind: 'absent', text: '' }],
  [unsignedPayload, { kind: 'unsigned', text: unsignedPayload }],
  ...(['signed', 'signed-trailer', 'unsigned-trailer'] as const).map(
    (mode) => [chunkedPayloads[mode], { kind: 'chunked', mode, text: chunkedPayloads[mode] }] as const,
  ),
]);

const hexSha256 = /^[0-9a-fA-F]{64}$/;

/** Reads the value of `x-amz-content-sha256`; absent is `undefined` or empty. Throws `InvalidArgument`. */
export function parsePayloadHash(value: string | undefined): PayloadHash {
  const fixed = fixedPayloads.get(value ?? '');
  if (fixed !== undefined) return fixed;
  const text = value ?? '';
  if (hexSha256.test(text)) return { kind: 'sha256', text };
  if (text.startsWith('STREAMING-AWS4-ECDSA-')) {
    throw new S3Error('NotImplemented', `${text} (Signature Version 4A) is not supported. Sign with AWS4-HMAC-SHA256.`);
  }
  throw new S3Error(
    'InvalidArgument',
    `x-amz-content-sha256 must be ${unsignedPayload}, ${Object.values(chunkedPayloads).join(', ')}, or a valid sha256 value.`,
    { details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: text } },
  );
}
