// The index of the bare server: a map, and the keys in order, sorted when a listing needs them.

/** Where the bytes of an object lie, one after the other. */
export interface Extent {
  readonly file: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface BareObject {
  readonly extents: readonly Extent[];
  readonly sizeBytes: number;
  readonly etag: string;
}

const maxKeys = 1000;
const modified = '2026-11-21T00:00:00.000Z';

export class BareIndex {
  readonly #objects = new Map<string, BareObject>();
  #sorted: string[] | undefined = [];

  get(path: string): BareObject | undefined {
    return this.#objects.get(path);
  }

  set(path: string, object: BareObject): void {
    if (!this.#objects.has(path)) this.#sorted = undefined;
    this.#objects.set(path, object);
  }

  delete(path: string): void {
    if (this.#objects.delete(path)) this.#sorted = undefined;
  }

  /** ListObjectsV2 as XML; with a delimiter it goes from prefix to prefix by halving. */
  list(bucketPath: string, query: URLSearchParams): string {
    this.#sorted ??= [...this.#objects.keys()].sort();
    const sorted = this.#sorted;
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const after = query.get('start-after') ?? query.get('continuation-token') ?? '';
    const start = bucketPath + prefix;
    let position = Math.max(
      lowerBound(sorted, start),
      after === '' ? 0 : lowerBound(sorted, `${bucketPath}${after}\0`),
    );
    const rows: string[] = [];
    for (; rows.length < maxKeys; ) {
      const path = sorted[position];
      if (path === undefined || !path.startsWith(start)) break;
      const cut = delimiter === '' ? -1 : path.indexOf(delimiter, start.length);
      if (cut === -1) {
        const object = this.#objects.get(path);
        const key = path.slice(bucketPath.length);
        rows.push(
          `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified><ETag>&quot;${object?.etag}&quot;</ETag><Size>${object?.sizeBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
        );
        position += 1;
      } else {
        const common = path.slice(0, cut + delimiter.length);
        rows.push(`<CommonPrefixes><Prefix>${common.slice(bucketPath.length)}</Prefix></CommonPrefixes>`);
        position = lowerBound(sorted, `${common}\uffff`);
      }
    }
    return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><KeyCount>${rows.length}</KeyCount>${rows.join('')}</ListBucketResult>`;
  }
}

function lowerBound(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
