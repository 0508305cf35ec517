// The life of a file's bytes, as one table: which state may follow which, and what each means to a client.
// ARCHITECTURE.md, "The life of an upload". Every change is compare-and-set in the service; clients only ever read a state.

interface StateRow {
  /** States that may follow. */
  readonly next: readonly string[];
  /** Whether the bytes can be downloaded. True of `ready` alone. */
  readonly downloadable: boolean;
  /** Nothing follows by itself or by request. */
  readonly terminal: boolean;
}

export const fileStates = {
  /** Room is reserved and a URL was handed out; no byte was seen yet. */
  pending: {
    next: ['uploading', 'completing', 'uploaded', 'aborted', 'expired'],
    downloadable: false,
    terminal: false,
  },
  /** The bucket holds some of the bytes. */
  uploading: { next: ['completing', 'uploaded', 'aborted', 'expired'], downloadable: false, terminal: false },
  /** The service is asking the bucket to join the parts. */
  completing: { next: ['uploading', 'uploaded', 'aborted', 'expired'], downloadable: false, terminal: false },
  /** The bytes are safe in the bucket: size and ETag were read back. */
  uploaded: { next: ['validating'], downloadable: false, terminal: false },
  /** The bytes are being compared with what was announced. */
  validating: { next: ['scanning', 'rejected'], downloadable: false, terminal: false },
  /** The bytes are being judged: by a virus scanner where one is set. */
  scanning: { next: ['ready', 'quarantined', 'scan-failed'], downloadable: false, terminal: false },
  /** Checked and usable. */
  ready: { next: ['trashed'], downloadable: true, terminal: false },
  /** Deleted by its owner; can be restored until it is purged. */
  trashed: { next: ['ready', 'purging'], downloadable: false, terminal: false },
  /** The bytes are being removed. */
  purging: { next: ['purged'], downloadable: false, terminal: false },
  purged: { next: [], downloadable: false, terminal: true },
  /** The client gave the upload up. */
  aborted: { next: ['purging'], downloadable: false, terminal: true },
  /** The deadline passed before all bytes came. */
  expired: { next: ['purging'], downloadable: false, terminal: true },
  /** The bytes are not what was announced, or not allowed. */
  rejected: { next: ['purging'], downloadable: false, terminal: true },
  /** Malware was found in the bytes. Kept for a while, to be judged anew or removed. */
  quarantined: { next: ['scanning', 'purging'], downloadable: false, terminal: true },
  /** The bytes could not be judged, and must be. */
  'scan-failed': { next: ['scanning', 'purging'], downloadable: false, terminal: false },
} as const satisfies Record<string, StateRow>;

export type FileState = keyof typeof fileStates;

export const fileStateNames: readonly FileState[] = Object.keys(fileStates) as FileState[];

/** Whether `to` may follow `from`. */
export function mayFollow(from: FileState, to: FileState): boolean {
  const next: readonly FileState[] = fileStates[from].next;
  return next.includes(to);
}
