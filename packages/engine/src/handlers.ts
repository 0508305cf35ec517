// Which operation is answered by what: a row for every operation of S3, so that a missing one does not compile.

import { type OperationName, operationNames } from '@stowage/s3';
import type { Handler, NotBuilt } from './handler.ts';
import { abortMultipartUpload } from './operations/abort-multipart-upload.ts';
import { deleteBucket, getBucketLocation, headBucket } from './operations/bucket.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from './operations/bucket-cors.ts';
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts';
import { copyObject } from './operations/copy-object.ts';
import { createBucket } from './operations/create-bucket.ts';
import { createMultipartUpload } from './operations/create-multipart-upload.ts';
import { deleteObject } from './operations/delete-object.ts';
import { deleteObjects } from './operations/delete-objects.ts';
import { getObject, headObject } from './operations/get-object.ts';
import { getObjectAttributes } from './operations/get-object-attributes.ts';
import { getObjectTagging } from './operations/get-object-tagging.ts';
import { listBuckets } from './operations/list-buckets.ts';
import { listMultipartUploads } from './operations/list-multipart-uploads.ts';
import { listObjectVersions } from './operations/list-object-versions.ts';
import { listObjects, listObjectsV2 } from './operations/list-objects.ts';
import { listParts } from './operations/list-parts.ts';
import { postObject } from './operations/post-object.ts';
import { putObject } from './operations/put-object.ts';
import { uploadPart } from './operations/upload-part.ts';
import { uploadPartCopy } from './operations/upload-part-copy.ts';

export const handlers: Readonly<Record<OperationName, Handler | NotBuilt>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateBucketMetadataConfiguration: 'not-built',
  CreateBucketMetadataTableConfiguration: 'not-built',
  CreateMultipartUpload: createMultipartUpload,
  CreateSession: 'not-built',
  DeleteBucket: deleteBucket,
  DeleteBucketAnalyticsConfiguration: 'not-built',
  DeleteBucketCors: deleteBucketCors,
  DeleteBucketEncryption: 'not-built',
  DeleteBucketIntelligentTieringConfiguration: 'not-built',
  DeleteBucketInventoryConfiguration: 'not-built',
  DeleteBucketLifecycle: 'not-built',
  DeleteBucketMetadataConfiguration: 'not-built',
  DeleteBucketMetadataTableConfiguration: 'not-built',
  DeleteBucketMetricsConfiguration: 'not-built',
  DeleteBucketOwnershipControls: 'not-built',
  DeleteBucketPolicy: 'not-built',
  DeleteBucketReplication: 'not-built',
  DeleteBucketTagging: 'not-built',
  DeleteBucketWebsite: 'not-built',
  DeleteObject: deleteObject,
  DeleteObjectAnnotation: 'not-built',
  DeleteObjectTagging: 'not-built',
  DeleteObjects: deleteObjects,
  DeletePublicAccessBlock: 'not-built',
  GetBucketAbac: 'not-built',
  GetBucketAccelerateConfiguration: 'not-built',
  GetBucketAcl: 'not-built',
  GetBucketAnalyticsConfiguration: 'not-built',
  GetBucketCors: getBucketCors,
  GetBucketEncryption: 'not-built',
  GetBucketIntelligentTieringConfiguration: 'not-built',
  GetBucketInventoryConfiguration: 'not-built',
  GetBucketLifecycle: 'not-built',
  GetBucketLifecycleConfiguration: 'not-built',
  GetBucketLocation: getBucketLocation,
  GetBucketLogging: 'not-built',
  GetBucketMetadataConfiguration: 'not-built',
  GetBucketMetadataTableConfiguration: 'not-built',
  GetBucketMetricsConfiguration: 'not-built',
  GetBucketNotification: 'not-built',
  GetBucketNotificationConfiguration: 'not-built',
  GetBucketOwnershipControls: 'not-built',
  GetBucketPolicy: 'not-built',
  GetBucketPolicyStatus: 'not-built',
  GetBucketReplication: 'not-built',
  GetBucketRequestPayment: 'not-built',
  GetBucketTagging: 'not-built',
  GetBucketVersioning: 'not-built',
  GetBucketWebsite: 'not-built',
  GetObject: getObject,
  GetObjectAcl: 'not-built',
  GetObjectAnnotation: 'not-built',
  GetObjectAttributes: getObjectAttributes,
  GetObjectLegalHold: 'not-built',
  GetObjectLockConfiguration: 'not-built',
  GetObjectRetention: 'not-built',
  GetObjectTagging: getObjectTagging,
  GetObjectTorrent: 'not-built',
  GetPublicAccessBlock: 'not-built',
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBucketAnalyticsConfigurations: 'not-built',
  ListBucketIntelligentTieringConfigurations: 'not-built',
  ListBucketInventoryConfigurations: 'not-built',
  ListBucketMetricsConfigurations: 'not-built',
  ListBuckets: listBuckets,
  ListDirectoryBuckets: 'not-built',
  ListMultipartUploads: listMultipartUploads,
  ListObjectAnnotations: 'not-built',
  ListObjectVersions: listObjectVersions,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  PostObject: postObject,
  PutBucketAbac: 'not-built',
  PutBucketAccelerateConfiguration: 'not-built',
  PutBucketAcl: 'not-built',
  PutBucketAnalyticsConfiguration: 'not-built',
  PutBucketCors: putBucketCors,
  PutBucketEncryption: 'not-built',
  PutBucketIntelligentTieringConfiguration: 'not-built',
  PutBucketInventoryConfiguration: 'not-built',
  PutBucketLifecycle: 'not-built',
  PutBucketLifecycleConfiguration: 'not-built',
  PutBucketLogging: 'not-built',
  PutBucketMetricsConfiguration: 'not-built',
  PutBucketNotification: 'not-built',
  PutBucketNotificationConfiguration: 'not-built',
  PutBucketOwnershipControls: 'not-built',
  PutBucketPolicy: 'not-built',
  PutBucketReplication: 'not-built',
  PutBucketRequestPayment: 'not-built',
  PutBucketTagging: 'not-built',
  PutBucketVersioning: 'not-built',
  PutBucketWebsite: 'not-built',
  PutObject: putObject,
  PutObjectAcl: 'not-built',
  PutObjectAnnotation: 'not-built',
  PutObjectLegalHold: 'not-built',
  PutObjectLockConfiguration: 'not-built',
  PutObjectRetention: 'not-built',
  PutObjectTagging: 'not-built',
  PutPublicAccessBlock: 'not-built',
  RenameObject: 'not-built',
  RestoreObject: 'not-built',
  SelectObjectContent: 'not-built',
  UpdateBucketMetadataAnnotationTableConfiguration: 'not-built',
  UpdateBucketMetadataInventoryTableConfiguration: 'not-built',
  UpdateBucketMetadataJournalTableConfiguration: 'not-built',
  UpdateObjectEncryption: 'not-built',
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  WriteGetObjectResponse: 'not-built',
};

/** What docs/compatibility.md is made from. */
export const operationStatus: Readonly<Record<OperationName, 'built' | 'not-built'>> = statusOf(handlers);

function statusOf(table: typeof handlers): Record<OperationName, 'built' | 'not-built'> {
  const rows = operationNames.map((name) => [name, table[name] === 'not-built' ? 'not-built' : 'built'] as const);
  return Object.fromEntries(rows) as Record<OperationName, 'built' | 'not-built'>; // One row for each name.
}
