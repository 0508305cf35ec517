// The bytes of a file as its judges read them: a piece at a time, by ranged reads, never the whole.

export interface ByteSource {
  readonly sizeBytes: number;
  /** The bytes from `fromByte` on, `sizeBytes` of them or as many as there are. Throws `BytesGoneError` when they are no longer there. */
  read(range: { readonly fromByte: number; readonly sizeBytes: number }): Promise<Uint8Array>;
}

/** The object is gone, or another: what was read so far says nothing about what is there now. */
export class BytesGoneError extends Error {}

/** A source of what lies in memory, for judging what was read already; beyond it, `rest` is asked. */
export function withFirstBytes(firstBytes: Uint8Array, rest: ByteSource): ByteSource {
  return {
    sizeBytes: rest.sizeBytes,
    read: ({ fromByte, sizeBytes }) => {
      const endByte = Math.min(fromByte + sizeBytes, rest.sizeBytes);
      if (endByte <= firstBytes.length) return Promise.resolve(firstBytes.subarray(fromByte, endByte));
      return rest.read({ fromByte, sizeBytes: endByte - fromByte });
    },
  };
}
