import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { copyIntoPiece, type Piece, type PieceHolder, PiecePool, pieceSizeBytes } from './piece-pool.ts';

/** Fills a piece a little, and sends it when it is asked to. */
class Dawdler implements PieceHolder {
  readonly #pool: PiecePool;
  piece: Piece | undefined;
  asked = 0;

  constructor(pool: PiecePool) {
    this.#pool = pool;
  }

  async begin(): Promise<void> {
    this.piece = await this.#pool.wait();
    this.#pool.filling(this);
  }

  sendNow(): void {
    this.asked += 1;
    const { piece } = this;
    assert.ok(piece !== undefined, 'nobody is asked for a piece it has not');
    this.piece = undefined;
    // As a disk does it: later.
    setImmediate(() => this.#pool.giveBack(piece));
  }
}

describe('piece pool', () => {
  it('lends no more than it has, and the same again', () => {
    const pool = new PiecePool(2 * pieceSizeBytes + 17);
    const pieces = [pool.take(), pool.take(), pool.take()];
    assert.deepEqual(
      pieces.map((piece) => piece?.start),
      [0, pieceSizeBytes, undefined],
    );
    const [first] = pieces;
    assert.ok(first !== undefined);
    pool.giveBack(first);
    assert.equal(pool.take(), first);
    assert.equal(pool.memory.byteLength, 2 * pieceSizeBytes);
  });

  it('has one piece however little memory it is given', () => {
    assert.ok(new PiecePool(1).take() !== undefined);
  });

  it('gives a piece that comes back to whoever waits longest, and to nobody who comes later', async () => {
    const pool = new PiecePool(pieceSizeBytes);
    const piece = pool.take();
    assert.ok(piece !== undefined);
    const order: string[] = [];
    const first = pool.wait().then((got) => {
      order.push('first');
      pool.giveBack(got);
    });
    const second = pool.wait().then((got) => {
      order.push('second');
      pool.giveBack(got);
    });
    pool.giveBack(piece);
    assert.equal(pool.take(), undefined, 'someone waits');
    await Promise.all([first, second]);
    assert.deepEqual(order, ['first', 'second']);
    assert.equal(pool.take(), piece, 'it is there again');
  });

  it('asks whoever has begun first, and only as many as wait', async () => {
    const pool = new PiecePool(3 * pieceSizeBytes);
    const slow = [new Dawdler(pool), new Dawdler(pool), new Dawdler(pool)];
    for (const one of slow) await one.begin();
    const got = await Promise.all([pool.wait(), pool.wait()]);
    assert.deepEqual(
      slow.map(({ asked }) => asked),
      [1, 1, 0],
    );
    for (const piece of got) pool.giveBack(piece);
  });

  it('lets everyone through, however many there are for however few pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 60 }), async (pieces, holders) => {
        const pool = new PiecePool(pieces * pieceSizeBytes);
        const all = Array.from({ length: holders }, () => new Dawdler(pool));
        // Nobody finishes by itself: without being asked, those who begin would hold all pieces for ever.
        await Promise.all(all.map((one) => one.begin()));
        assert.ok(all.filter(({ piece }) => piece !== undefined).length <= pieces);
        assert.ok(all.filter(({ asked }) => asked > 0).length >= holders - pieces);
      }),
      { numRuns: 50 },
    );
  });

  it('copies any bytes to any place', () => {
    const pool = new PiecePool(pieceSizeBytes);
    const piece = pool.take();
    assert.ok(piece !== undefined);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(1000), fc.nat(299), (bytes, at, cut) => {
        const from = cut % bytes.length;
        piece.bytes.fill(0);
        copyIntoPiece(piece, at, bytes, from, bytes.length);
        const length = bytes.length - from;
        assert.ok(piece.bytes.subarray(at, at + length).equals(bytes.subarray(from)));
        assert.ok(at === 0 || piece.bytes[at - 1] === 0);
        assert.equal(piece.bytes[at + length], 0);
      }),
    );
  });
});
