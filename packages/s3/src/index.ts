// What other packages may use of @stowage/s3: the language of S3, without any I/O.

// signature
export {
  type AnonymousAuthentication,
  type Authentication,
  type CredentialScope,
  type HeaderAuthentication,
  maxExpiresSeconds,
  parseAuthentication,
  type QueryAuthentication,
} from './signature/authentication.ts';
export {
  type ChunkDecoder,
  type ChunkDecoderOptions,
  createChunkDecoder,
  parseTrailerNames,
} from './signature/chunk-decoder.ts';
export { type EncodeChunksOptions, encodeChunks } from './signature/chunk-encoder.ts';
export { type ChunkMode, chunkedPayloads, type PayloadHash, unsignedPayload } from './signature/payload-hash.ts';
export {
  type PostAuthentication,
  type PostFields,
  parsePostAuthentication,
  postObjectKey,
  readPostFields,
} from './signature/post-form.ts';
export { type ContentLengthRange, checkContentLength } from './signature/post-policy.ts';
export { type PostPolicyCondition, type SignPostPolicyOptions, signPostPolicy } from './signature/sign-post-policy.ts';
export {
  type PresignUrlOptions,
  presignUrl,
  type RequestSigned,
  type RequestToSign,
  type SignRequestOptions,
  signRequest,
} from './signature/sign-request.ts';
export type { SignedRequest, SigningCredentials } from './signature/signed-request.ts';
export { SigningKeys } from './signature/signing-keys.ts';
export { type VerifyPostPolicyOptions, verifyPostPolicy } from './signature/verify-post-policy.ts';
export { type ChunkSigning, type VerifySignatureOptions, verifySignature } from './signature/verify-signature.ts';
