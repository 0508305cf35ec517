// Upload and download from a browser or Node, resumable. Bytes go straight to the bucket; the service only signs.

export { type Api, type ApiOptions, type ApiRequest, type BytesRoute, type CallableRoute, createApi } from './api.ts';
export {
  ClientError,
  type ClientErrorCode,
  type ClientFaultCode,
  clientFaults,
  isClientError,
} from './client-error.ts';
export type { Clock } from './clock.ts';
export type { FileHandle, RememberedFile } from './resume-store.ts';
export type { SnapshotSource } from './snapshot-source.ts';
export {
  type ClientOptions,
  createClient,
  type ResumableUpload,
  type StowageClient,
  type UploadOptions,
} from './stowage-client.ts';
export type { UploadHandle, UploadPhase, UploadProgress, UploadSnapshot } from './upload.ts';
export {
  createUploadList,
  type MissedFile,
  type UploadEvent,
  type UploadItem,
  type UploadList,
  type UploadListSnapshot,
  type UploadRequest,
  type UploadTotals,
} from './upload-list.ts';
export type { UploadSource } from './upload-source.ts';
