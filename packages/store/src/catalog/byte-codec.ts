// Writes and reads the small binary rows of the catalog: big-endian integers, and text with its length before it.

const initialSizeBytes = 512;

export class ByteWriter {
  #bytes: Buffer = Buffer.allocUnsafe(initialSizeBytes);
  #size = 0;

  /** Begins a row; whatever an earlier one left behind is forgotten. */
  start(): void {
    this.#size = 0;
  }

  /** The bytes written since `start`, in memory of their own. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.#size);
    this.#bytes.copy(taken, 0, 0, this.#size);
    return taken;
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#size] = value;
    this.#size += 1;
  }

  u16(value: number): void {
    this.#room(2);
    this.#bytes.writeUInt16BE(value, this.#size);
    this.#size += 2;
  }

  u32(value: number): void {
    this.#room(4);
    this.#bytes.writeUInt32BE(value, this.#size);
    this.#size += 4;
  }

  u48(value: number): void {
    this.#room(6);
    this.#bytes.writeUIntBE(value, this.#size, 6);
    this.#size += 6;
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
  }

  hex(value: string): void {
    this.#room(value.length >>> 1);
    this.#size += this.#bytes.write(value, this.#size, 'hex');
  }

  /** Text of at most 255 bytes. */
  shortText(value: string): void {
    this.#text(value, 1);
  }

  /** Text of at most 4 GiB. */
  longText(value: string): void {
    this.#text(value, 4);
  }

  /** Text of at most 65,535 bytes. */
  text(value: string): void {
    this.#text(value, 2);
  }

  #text(value: string, lengthSize: 1 | 2 | 4): void {
    this.#room(lengthSize + value.length * 3);
    const written = this.#bytes.write(value, this.#size + lengthSize, 'utf8');
    this.#bytes.writeUIntBE(written, this.#size, lengthSize); // throws RangeError when the text is too long
    this.#size += lengthSize + written;
  }

  #room(sizeBytes: number): void {
    const needed = this.#size + sizeBytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
  }
}

export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  u8(): number {
    const value = this.#bytes.readUInt8(this.#at);
    this.#at += 1;
    return value;
  }

  u16(): number {
    const value = this.#bytes.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  u32(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  u48(): number {
    const value = this.#bytes.readUIntBE(this.#at, 6);
    this.#at += 6;
    return value;
  }

  bytes(sizeBytes: number): Buffer {
    const start = this.#at;
    return this.#bytes.subarray(start, this.#pass(sizeBytes));
  }

  hex(sizeBytes: number): string {
    const start = this.#at;
    return this.#bytes.toString('hex', start, this.#pass(sizeBytes));
  }

  skip(sizeBytes: number): void {
    this.#at += sizeBytes;
  }

  shortText(): string {
    return this.#utf8(this.u8());
  }

  text(): string {
    return this.#utf8(this.u16());
  }

  longText(): string {
    return this.#utf8(this.u32());
  }

  #utf8(sizeBytes: number): string {
    const start = this.#at;
    return this.#bytes.toString('utf8', start, this.#pass(sizeBytes));
  }

  /** Goes on behind so many bytes, and says where that is. @throws RangeError when they are not all there. */
  #pass(sizeBytes: number): number {
    const end = this.#at + sizeBytes;
    if (end > this.#bytes.length) throw new RangeError(`A row ends at ${this.#bytes.length}, and ${end} was expected.`);
    this.#at = end;
    return end;
  }
}
