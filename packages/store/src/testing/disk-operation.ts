// What is asked of a disk, as a value: for those who decide about its fate (a disk that fails, a simulated disk).

export interface DiskOperation {
  readonly kind: DiskOperationKind;
  readonly path: string;
  /** Bytes read or written; the new length of a truncated file. */
  readonly sizeBytes: number;
}

export type DiskOperationKind =
  | 'open'
  | 'create'
  | 'createFolder'
  | 'list'
  | 'write'
  | 'read'
  | 'sync'
  | 'syncFolder'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'sizeBytes'
  | 'close';

/** Answers the name of a system error for an operation that is to fail. */
export type Fault = (operation: DiskOperation) => 'ENOSPC' | 'EIO' | 'EMFILE' | undefined;

/** The error that node:fs would give. */
export function diskError(code: string, { kind, path }: Pick<DiskOperation, 'kind' | 'path'>): Error {
  return Object.assign(new Error(`${code}: ${kind} ${path}`), { code });
}
