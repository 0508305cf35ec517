// The file service: state, policy and signatures for files whose bytes go straight between client and bucket.

export type { IssuerSettings, IssuerTable } from './accounts/issuers.ts';
export { capabilities, type KnownEndpoint, knownEndpoints } from './bucket/capabilities.ts';
export { allSeals as seals } from './bucket/choose-seal.ts';
export type { EndpointOptions } from './bucket/endpoint-profiles.ts';
export type { S3Settings } from './bucket/s3-settings.ts';
export { type CheckFinding, checkFileService } from './check-file-service.ts';
export type { EventsInOptions } from './events-in/open-events-in.ts';
export type { Seal } from './file-record.ts';
export type { FileServiceOptions } from './file-service-options.ts';
export { FilesError, type FilesErrorOptions, isFilesError } from './files-error.ts';
export { defaultLimits, type FilesLimits } from './limits.ts';
export type { FilesLog, LogFields } from './log.ts';
export { type FileService, openFileService } from './open-file-service.ts';
export type { UploadPolicies, UploadPolicy } from './policies.ts';
export type { ClamdSettings } from './scanning/clamd.ts';
export { type RunningFileService, type StartFileServiceOptions, startFileService } from './start-file-service.ts';
