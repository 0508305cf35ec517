// What other packages may use of @stowage/s3: the language of S3, without any I/O.

// requests
export { checkBucketName } from './bucket-name.ts';
export { type ByteRange, formatContentRange, parseCopySourceRange, parseRange } from './byte-range.ts';
// checksums
export {
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumAlgorithmNames,
  checksumAlgorithms,
  type DigestAlgorithm,
} from './checksums/checksum-algorithms.ts';
export {
  type ChecksumChoice,
  parseChecksumChoice,
  parseChecksumType,
  parseContentMd5,
  parseRequestChecksum,
  type RequestChecksum,
} from './checksums/checksum-request.ts';
export { type CrcAlgorithm, combineCrc, isCrcAlgorithm } from './checksums/combine-crc.ts';
export { crc32c, createDigest, type Digest, digestOf } from './checksums/digest.ts';
export { multipartChecksum, type PartChecksum } from './checksums/multipart-checksum.ts';
export {
  ifRangeHolds,
  judgeCopySource,
  judgeRead,
  parseCopySourceConditions,
  parseReadConditions,
  parseWriteConditions,
  type ReadConditions,
  type Validators,
  type WriteConditions,
} from './conditions.ts';
export { decodeContinuationToken, encodeContinuationToken } from './continuation-token.ts';
export { type CopySource, parseCopySource } from './copy-source.ts';
export { type CorsRequest, corsHeaders, matchCors, parseRequestHeaderNames } from './cors.ts';
// documents
export { writeBucketLocationDocument } from './documents/bucket-location.ts';
export {
  type CompletedPart,
  type CompleteMultipartUploadDocument,
  parsePartNumber,
  readCompleteMultipartUploadDocument,
  writeCompleteMultipartUploadDocument,
} from './documents/complete-multipart-upload.ts';
export { type CopyObjectDocument, writeCopyObjectDocument } from './documents/copy-object.ts';
export { type CopyPartDocument, writeCopyPartDocument } from './documents/copy-part.ts';
export {
  type CorsMethod,
  type CorsRule,
  readCorsConfigurationDocument,
  writeCorsConfigurationDocument,
} from './documents/cors-configuration.ts';
export { type CreateBucketConfiguration, readCreateBucketDocument } from './documents/create-bucket.ts';
export {
  type CreateMultipartUploadDocument,
  writeCreateMultipartUploadDocument,
} from './documents/create-multipart-upload.ts';
export {
  type DeletedObject,
  type DeleteError,
  type DeleteObjectsDocument,
  type DeleteObjectsRequest,
  type ObjectToDelete,
  readDeleteObjectsDocument,
  writeDeleteObjectsDocument,
} from './documents/delete-objects.ts';
export { type ErrorContext, writeErrorDocument } from './documents/error.ts';
export {
  type GetObjectAttributesDocument,
  type ObjectAttribute,
  type ObjectPartsPage,
  parseObjectAttributes,
  writeGetObjectAttributesDocument,
} from './documents/get-object-attributes.ts';
export { type ListBucketsDocument, type ListedBucket, writeListBucketsDocument } from './documents/list-buckets.ts';
export {
  type ListedUpload,
  type ListMultipartUploadsDocument,
  writeListMultipartUploadsDocument,
} from './documents/list-multipart-uploads.ts';
export {
  type ListedVersion,
  type ListObjectVersionsDocument,
  writeListObjectVersionsDocument,
} from './documents/list-object-versions.ts';
export { type ListObjectsDocument, writeListObjectsDocument } from './documents/list-objects.ts';
export { type ListObjectsV2Document, writeListObjectsV2Document } from './documents/list-objects-v2.ts';
export { type ListedPart, type ListPartsDocument, writeListPartsDocument } from './documents/list-parts.ts';
export type { ListedObject } from './documents/listed-object.ts';
export type { DocumentChecksum } from './documents/object-checksum.ts';
export type { Owner, OwnerOf } from './documents/owner.ts';
export { type PostObjectDocument, writePostObjectDocument } from './documents/post-object.ts';
export { type Tag, writeTaggingDocument } from './documents/tagging.ts';
// operations and errors
export {
  isS3Error,
  S3Error,
  type S3ErrorCode,
  type S3ErrorDescription,
  type S3ErrorOptions,
  s3Errors,
} from './errors.ts';
export { multipartEtag, quoteEtag } from './etag.ts';
export { formatHttpDate, parseHttpDate } from './http-date.ts';
export { type EncodingType, parseEncodingType } from './list-encoding.ts';
export { matchOperation, type OperationRequest } from './match-operation.ts';
export { checkObjectKey } from './object-key.ts';
export {
  metadataHeaders,
  type ObjectMetadata,
  parseObjectMetadata,
  parseResponseOverrides,
  type ResponseOverrides,
} from './object-metadata.ts';
export { type Operation, type OperationName, operationNames, operations } from './operations.ts';
export type { RequestHeaders, RequestQuery } from './request-parts.ts';
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
export {
  type PresignedV2,
  parsePresignedV2,
  type VerifyPresignedV2Options,
  verifyPresignedV2,
} from './signature/presigned-v2.ts';
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
export { parseStorageClass, type StorageClass } from './storage-class.ts';
