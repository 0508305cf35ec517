// Looks through the pages of an LMDB file without LMDB. LMDB trusts its pages: it follows whatever number or offset stands
// there, so that a damaged page may end the process, or hang it, where no one can catch that. This reads the file as LMDB
// would and says what it would stumble over: the tree of rows, the tree of free pages, and that no page is in two places.
// What a row says is not looked at; for that the index is held against the journal (checking/compare-indexes.ts).
//
// The layout, little-endian, as of LMDB's data version 2, without sub-databases and duplicates, which the index has none of:
//   page   u64 number, u64 transaction, u16 unused, u16 flags, u16 end of the pointers, u16 start of the nodes (both from
//          behind this head), u16 pointers to the nodes; of an overflow page the last two are a u32: how many pages follow
//   node   u32 length of the value, or the page in a branch, with the 16 bits of flags above; u16 flags; u16 length of the key
//   value  in place, or of a length that no page takes: u64 page, u64 transaction, u64 pages

import * as fs from 'node:fs';

export const pageSizeBytes = 4096;
/** Both meta pages, with which the file begins. */
export const metaSizeBytes = 2 * pageSizeBytes;
const headSizeBytes = 24;
const metaMagic = 0xbeefc0de;
const dataVersion = 2;
const noPage = 0xffff_ffff_ffff_ffffn;
const nodeHeadSizeBytes = 8;
const overflowSizeBytes = 24;
const maxDepth = 32;

const branchFlag = 0x01;
const leafFlag = 0x02;
const overflowFlag = 0x04;
const metaFlag = 0x08;
/** Of a node: its value lies in overflow pages. */
const bigFlag = 0x01;

/** Pages looked at before others get their turn. */
const pagesBetweenPauses = 2000;

/** What is wrong with the pages of a file, or `undefined` when LMDB can be trusted with them. */
export async function findPageDamage(path: string): Promise<string | undefined> {
  const descriptor = fs.openSync(path, 'r');
  try {
    await new PageWalk(descriptor).run();
    return undefined;
  } catch (cause) {
    if (cause instanceof PageDamage) return cause.message;
    throw cause;
  } finally {
    fs.closeSync(descriptor);
  }
}

export interface UsedPages {
  /** From the beginning of the file up to the last one that is used. */
  readonly pages: number;
  /** Of the tree of rows. */
  readonly depth: number;
}

/** What LMDB uses of a file, as its two meta pages say. */
export function readUsedPages(metaPages: Buffer): UsedPages {
  const first = metaPages.subarray(0, pageSizeBytes);
  const second = metaPages.subarray(pageSizeBytes);
  const newer = first.readBigUInt64LE(152) > second.readBigUInt64LE(152) ? first : second;
  return { pages: Number(newer.readBigUInt64LE(144)) + 1, depth: Math.max(1, newer.readUInt16LE(102)) };
}

class PageDamage extends Error {}

interface Tree {
  readonly compareKeys: (page: Buffer, a: number, b: number) => number;
  readonly depth: number;
  /** Absent: the tree is empty. */
  readonly root: number | undefined;
}

/** A page of a tree that is still to be looked at. */
interface PendingPage {
  readonly number: number;
  readonly depth: number;
}

class PageWalk {
  readonly #descriptor: number;
  readonly #filePages: number;
  /** One bit for each page: in use. */
  readonly #used: Uint8Array;
  #lastPage = 0;
  #transaction = 0n;
  #visited = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#filePages = Math.floor(fs.fstatSync(descriptor).size / pageSizeBytes);
    this.#used = new Uint8Array(Math.ceil(this.#filePages / 8));
  }

  async run(): Promise<void> {
    const [free, rows] = this.#readMeta();
    await this.#walk(rows, () => undefined);
    const lists: Buffer[] = [];
    await this.#walk(free, (value) => lists.push(value));
    for (const list of lists) this.#checkFreeList(list);
  }

  /** The trees of the newer of the two states that a file holds. */
  #readMeta(): readonly [free: Tree, rows: Tree] {
    const metas = [0, 1].map((number) => this.#read(number, 1)).filter(isMeta);
    const [first, second] = metas;
    if (first === undefined) throw new PageDamage('neither meta page can be read');
    const newer = second === undefined || first.readBigUInt64LE(152) > second.readBigUInt64LE(152) ? first : second;
    this.#transaction = newer.readBigUInt64LE(152);
    const pageSize = newer.readUInt32LE(48);
    if (pageSize !== pageSizeBytes) throw new PageDamage(`its pages have ${pageSize} bytes`);
    this.#lastPage = this.#number(newer.readBigUInt64LE(144), 'the last page');
    if (this.#lastPage >= this.#filePages) throw new PageDamage(`it ends before its last page, ${this.#lastPage}`);
    const tree = (at: number, compareKeys: Tree['compareKeys']): Tree => {
      const root = newer.readBigUInt64LE(at + 40);
      return {
        compareKeys,
        depth: newer.readUInt16LE(at + 6),
        root: root === noPage ? undefined : this.#number(root, 'a root'),
      };
    };
    return [tree(48, compareTransactions), tree(96, compareBytes)];
  }

  async #walk(tree: Tree, onValue: (value: Buffer) => void): Promise<void> {
    if (tree.root === undefined) return;
    if (tree.depth < 1 || tree.depth > maxDepth) throw new PageDamage(`a tree is ${tree.depth} pages deep`);
    const pending: PendingPage[] = [{ number: tree.root, depth: 1 }];
    for (let page = pending.pop(); page !== undefined; page = pending.pop()) {
      this.#use(page.number, 1);
      const bytes = this.#read(page.number, 1);
      const wanted = page.depth === tree.depth ? leafFlag : branchFlag;
      this.#requirePage(bytes, page.number, wanted);
      const { depth } = page;
      let filledBytes = 0;
      for (const node of nodesOf(bytes, page.number, tree.compareKeys)) {
        filledBytes += nodeSize(bytes, node, wanted);
        if (wanted === branchFlag) pending.push({ number: this.#child(bytes, node), depth: depth + 1 });
        else this.#checkLeaf(bytes, node, page.number, onValue);
      }
      // Nodes stand without gaps: one that is said to be longer or shorter would be moved over another.
      if (filledBytes !== pageSizeBytes - headSizeBytes - bytes.readUInt16LE(22)) {
        throw new PageDamage(`the nodes of page ${page.number} do not fill it`);
      }
      this.#visited += 1;
      if (this.#visited % pagesBetweenPauses === 0) await new Promise(setImmediate);
    }
  }

  #child(bytes: Buffer, node: number): number {
    const low = bytes.readUInt32LE(node);
    return this.#number(BigInt(low) | (BigInt(bytes.readUInt16LE(node + 4)) << 32n), 'a branch');
  }

  #checkLeaf(bytes: Buffer, node: number, number: number, onValue: (value: Buffer) => void): void {
    const sizeBytes = bytes.readUInt32LE(node);
    const flags = bytes.readUInt16LE(node + 4);
    const start = node + nodeHeadSizeBytes + bytes.readUInt16LE(node + 6);
    if ((flags & ~bigFlag) !== 0) throw new PageDamage(`a node in page ${number} has flags ${flags}`);
    const big = flags === bigFlag;
    if (start + (big ? overflowSizeBytes : sizeBytes) > pageSizeBytes) {
      throw new PageDamage(`a value in page ${number} goes beyond it`);
    }
    if (big) onValue(this.#readOverflow(bytes, start, sizeBytes));
    else onValue(bytes.subarray(start, start + sizeBytes));
  }

  #readOverflow(bytes: Buffer, at: number, sizeBytes: number): Buffer {
    const number = this.#number(bytes.readBigUInt64LE(at), 'a long value');
    const pages = Math.floor((headSizeBytes - 1 + sizeBytes) / pageSizeBytes) + 1;
    if (number + pages - 1 > this.#lastPage)
      throw new PageDamage(`a long value at page ${number} goes beyond the last one`);
    const value = this.#read(number, pages);
    this.#requirePage(value, number, overflowFlag);
    const held = value.readUInt32LE(20);
    if (held < pages || BigInt(held) !== bytes.readBigUInt64LE(at + 16)) {
      throw new PageDamage(`a long value at page ${number} has ${held} pages of ${pages}`);
    }
    this.#use(number, held);
    return value.subarray(headSizeBytes, headSizeBytes + sizeBytes);
  }

  /** A count, and page numbers; a negative number says how many pages in a row begin at the next one. */
  #checkFreeList(list: Buffer): void {
    const count = list.length < 8 ? -1 : Number(list.readBigUInt64LE(0));
    if (count < 0 || (count + 1) * 8 > list.length) throw new PageDamage(`a list of free pages has ${count} entries`);
    for (let at = 1; at <= count; at += 1) {
      const entry = list.readBigInt64LE(at * 8);
      if (entry === 0n) continue;
      const run = entry < 0n ? Number(-entry) : 1;
      if (entry < 0n) at += 1;
      if (at > count) throw new PageDamage('a list of free pages ends too early');
      const first = this.#number(entry < 0n ? list.readBigUInt64LE(at * 8) : BigInt(entry), 'a free page');
      if (first + run - 1 > this.#lastPage) throw new PageDamage(`free pages from ${first} on go beyond the last one`);
      for (let page = first; page < first + run; page += 1) {
        if (this.#isUsed(page)) throw new PageDamage(`page ${page} is free and in use`);
      }
    }
  }

  #requirePage(bytes: Buffer, number: number, flag: number): void {
    if (bytes.readBigUInt64LE(0) !== BigInt(number)) throw new PageDamage(`page ${number} has another number`);
    const flags = bytes.readUInt16LE(18);
    if (flags !== flag) throw new PageDamage(`page ${number} has flags ${flags}`);
    // One of a later transaction would be taken for a page that may be written to in place.
    if (bytes.readBigUInt64LE(8) > this.#transaction) throw new PageDamage(`page ${number} is of a later transaction`);
  }

  #use(number: number, pages: number): void {
    if (number + pages - 1 > this.#lastPage) throw new PageDamage(`page ${number} goes beyond the last one`);
    for (let page = number; page < number + pages; page += 1) {
      if (this.#isUsed(page)) throw new PageDamage(`page ${page} is in two places`);
      this.#used[page >>> 3] = (this.#used[page >>> 3] ?? 0) | (1 << (page & 7));
    }
  }

  #isUsed(page: number): boolean {
    return ((this.#used[page >>> 3] ?? 0) & (1 << (page & 7))) !== 0;
  }

  /** A page number that may be one. */
  #number(value: bigint, what: string): number {
    if (value > 1n && value < BigInt(this.#filePages)) return Number(value);
    if (what === 'the last page' && value === 1n) return 1; // an empty database has its two meta pages alone
    throw new PageDamage(`${what} is said to be page ${value}`);
  }

  #read(number: number, pages: number): Buffer {
    const bytes = Buffer.allocUnsafe(pages * pageSizeBytes);
    const read = fs.readSync(this.#descriptor, bytes, 0, bytes.length, number * pageSizeBytes);
    if (read < bytes.length) throw new PageDamage(`it ends within page ${number}`);
    return bytes;
  }
}

function isMeta(page: Buffer): boolean {
  const isMetaPage = (page.readUInt16LE(18) & metaFlag) !== 0;
  return isMetaPage && page.readUInt32LE(24) === metaMagic && page.readUInt32LE(28) === dataVersion;
}

/** Where the nodes of a page begin. */
function nodesOf(page: Buffer, number: number, compareKeys: Tree['compareKeys']): number[] {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  if (lower > upper || headSizeBytes + upper > pageSizeBytes) {
    throw new PageDamage(`page ${number} is filled up to ${lower} and from ${upper} on`);
  }
  const nodes: number[] = [];
  const count = lower >>> 1;
  if (count === 0) throw new PageDamage(`page ${number} is empty`);
  const branch = (page.readUInt16LE(18) & branchFlag) !== 0;
  for (let at = 0; at < count; at += 1) {
    const node = headSizeBytes + page.readUInt16LE(headSizeBytes + 2 * at);
    const keyEnd =
      node + nodeHeadSizeBytes + (node + nodeHeadSizeBytes <= pageSizeBytes ? page.readUInt16LE(node + 6) : 0);
    if (node < headSizeBytes + upper || keyEnd > pageSizeBytes || node + nodeHeadSizeBytes > pageSizeBytes) {
      throw new PageDamage(`node ${at} of page ${number} goes beyond it`);
    }
    // The first key of a branch is never looked at.
    const before = at > (branch ? 1 : 0) ? nodes[at - 1] : undefined;
    if (before !== undefined && compareKeys(page, before, node) >= 0) {
      throw new PageDamage(`the keys of page ${number} are not in order`);
    }
    nodes.push(node);
  }
  return nodes;
}

/** What a node takes in its page. */
function nodeSize(page: Buffer, node: number, flag: number): number {
  const big = (page.readUInt16LE(node + 4) & bigFlag) !== 0;
  const valueSizeBytes = flag === branchFlag ? 0 : big ? overflowSizeBytes : page.readUInt32LE(node);
  const sizeBytes = nodeHeadSizeBytes + page.readUInt16LE(node + 6) + valueSizeBytes;
  return sizeBytes + (sizeBytes % 2);
}

function compareBytes(page: Buffer, a: number, b: number): number {
  const aStart = a + nodeHeadSizeBytes;
  const bStart = b + nodeHeadSizeBytes;
  return page.compare(page, bStart, bStart + page.readUInt16LE(b + 6), aStart, aStart + page.readUInt16LE(a + 6));
}

/** The keys of free pages are numbers of transactions. */
function compareTransactions(page: Buffer, a: number, b: number): number {
  const of = (node: number): bigint => {
    if (page.readUInt16LE(node + 6) !== 8) throw new PageDamage('a list of free pages has no transaction');
    return page.readBigUInt64LE(node + nodeHeadSizeBytes);
  };
  return of(a) < of(b) ? -1 : 1;
}
