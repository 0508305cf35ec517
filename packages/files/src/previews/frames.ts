// How the service and the process that makes previews talk over a pipe: a length of four bytes, then so many bytes.

const headerBytes = 4;

/** The header of a frame. */
export function frameHeader(sizeBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(sizeBytes);
  return header;
}

/**
 * Puts frames together from what arrives. Gives `onFrame` each one as it is whole; throws when one is announced that is
 * larger than `maxBytes`. A frame's memory is taken once.
 */
export function createFrameReader(maxBytes: number, onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  const header = Buffer.alloc(headerBytes);
  let headerFilled = 0;
  let frame: Buffer | undefined;
  let filled = 0;
  return (chunk) => {
    let rest = chunk;
    for (;;) {
      if (frame === undefined) {
        const taken = rest.copy(header, headerFilled);
        headerFilled += taken;
        rest = rest.subarray(taken);
        if (headerFilled < headerBytes) return;
        const sizeBytes = header.readUInt32BE();
        if (sizeBytes > maxBytes)
          throw new Error(`A frame of ${sizeBytes} bytes was announced; at most ${maxBytes} are taken.`);
        frame = Buffer.allocUnsafe(sizeBytes);
        filled = 0;
      }
      const taken = rest.copy(frame, filled);
      filled += taken;
      rest = rest.subarray(taken);
      if (filled < frame.length) return;
      const whole = frame;
      frame = undefined;
      headerFilled = 0;
      onFrame(whole);
    }
  };
}
