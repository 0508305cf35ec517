// The row of a cursor: how far its consumer has come. docs/format.md, "Cursor row".

import { ByteReader, ByteWriter } from './byte-codec.ts';

/** A place in the stream of changes. */
export interface ChangePosition {
  /** The last record that is behind: everything up to it is dealt with. */
  readonly sequence: number;
  /** Where reading goes on: at a record that is not later than the next one. */
  readonly segment: number;
  /** In the segment; 0: at its first record, whichever that is, and nothing is missing before it. */
  readonly offset: number;
  /** Changes behind, from the journal's beginning. */
  readonly changeCount: number;
  /** When the last of them was committed, or the cursor made. */
  readonly atMs: number;
}

/** A name is text of letters, digits and `. _ : / -`, as a consumer likes to group its cursors: `events/bucket-1`. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/;

const writer = new ByteWriter();

export function encodeCursorRow(position: ChangePosition): Buffer {
  writer.start();
  writer.u48(position.sequence);
  writer.u32(position.segment);
  writer.u32(position.offset);
  writer.u48(position.changeCount);
  writer.u48(position.atMs);
  return writer.take();
}

export function decodeCursorRow(row: Buffer): ChangePosition {
  const reader = new ByteReader(row);
  const sequence = reader.u48();
  const segment = reader.u32();
  const offset = reader.u32();
  const changeCount = reader.u48();
  return { sequence, segment, offset, changeCount, atMs: reader.u48() };
}

/** @throws RangeError when it is no name of a cursor. */
export function requireCursorName(name: string): void {
  if (namePattern.test(name)) return;
  throw new RangeError(
    `"${name}" is no name of a cursor: give 1 to 200 letters, digits or any of . _ : / - and begin with a letter or digit.`,
  );
}
