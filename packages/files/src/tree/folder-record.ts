// A folder as the service knows it. The tree is rows alone: nothing in the bucket knows of it. The top has no row; its id is
// the empty string.

export interface FolderRecord {
  /** A ULID. */
  readonly id: string;
  readonly tenantId: string;
  /** Empty: at the top. */
  readonly parentId: string;
  readonly name: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Rises with every change. */
  readonly fence: number;
  readonly trashedAtMs: number | null;
}

/** The id of the top of the tree. */
export const topFolderId = '';

/** Names that differ in case, or in how their accents are put together, are one name; so are they sorted and found. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
