// A share as the service knows it.

export interface ShareRecord {
  /** A ULID. */
  readonly id: string;
  readonly tenantId: string;
  readonly createdBy: string;
  readonly targetKind: 'file' | 'folder';
  /** Of a file, its line; of a folder, the folder's id. */
  readonly targetId: string;
  /** PHC string of argon2id; `null`: none is asked for. */
  readonly passwordHash: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly maxDownloads: number | null;
  readonly downloads: number;
  readonly revokedAtMs: number | null;
}

/** Whether it may still be opened; not whether a password was given. */
export function isOpen(share: ShareRecord, nowMs: number): boolean {
  if (share.revokedAtMs !== null) return false;
  if (share.expiresAtMs !== null && share.expiresAtMs <= nowMs) return false;
  return share.maxDownloads === null || share.downloads < share.maxDownloads;
}
