// How much room a record takes in its segment. Apart from record.ts, because the catalog counts with it and has no business
// with the bytes themselves. docs/format.md, "Record".

export const recordAlignment = 8;

/** Before the header. */
export const recordHeadSizeBytes = 28;

/** All of a record but its header and its body: the head, and the CRC behind the header. */
export const recordOverheadBytes: number = recordHeadSizeBytes + 4;

/** The lengths of key and row, which stand before them in a fact's header. */
export const factLengthsSizeBytes = 6;

/** What the record of a fact takes in its segment. */
export function factRecordSize(sizes: {
  readonly keySizeBytes: number;
  readonly rowSizeBytes: number;
  readonly bodySizeBytes: number;
}): number {
  return align(
    recordOverheadBytes + factLengthsSizeBytes + sizes.keySizeBytes + sizes.rowSizeBytes + sizes.bodySizeBytes,
  );
}

export function align(offset: number): number {
  return Math.ceil(offset / recordAlignment) * recordAlignment;
}
