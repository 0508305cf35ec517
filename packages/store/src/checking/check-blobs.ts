// Checks the blobs of a closed store: all files are read, and held against the rows that name them, both in order of blob id.
// Memory is bounded: what the rows say of each blob is gathered in an index of its own.

import { join } from 'node:path';
import { blobKey, bucketIdOf, keyspace, manifestKey, wholeKeyspace } from '../catalog/index-keys.ts';
import { manifestPart, manifestPartCount } from '../catalog/manifest.ts';
import { decodePartRow } from '../catalog/upload-rows.ts';
import { bodySizeOf, locationOf } from '../catalog/version-row.ts';
import { openLmdbIndex } from '../ordered-index/lmdb-index.ts';
import type { IndexReader, OrderedIndex } from '../ordered-index/ordered-index.ts';
import { PendingView } from '../ordered-index/pending-view.ts';
import { type IndexRow, rowPages } from '../ordered-index/row-pages.ts';
import { type CheckedBlob, checkBlob } from './blob-check.ts';
import { listBlobs, type StrayName } from './folder-survey.ts';
import type { LockedFolder } from './store-folder.ts';

interface BlobsCheckOptions {
  readonly folder: LockedFolder;
  /** Which says what blobs there are to be. */
  readonly index: IndexReader;
  /** A blob that rows name. */
  readonly onChecked: (blobId: Buffer, checked: CheckedBlob) => void;
  /** A blob that no row names. Its bytes are not read. */
  readonly onUnreferenced: (blobId: Buffer) => void;
  readonly onForeign: (stray: StrayName) => void;
  /** A row of the index that names bytes, or a bucket, which the index has no other row for. */
  readonly onDangling: (key: Buffer, description: string) => void;
  readonly onRead: (sizeBytes: number) => void;
}

export async function checkBlobs(options: BlobsCheckOptions): Promise<void> {
  const { folder, index } = options;
  await folder.disk.createFolder(folder.corner);
  const sizes = await openLmdbIndex({ disk: folder.disk, folder: join(folder.corner, 'blob-sizes'), fresh: true });
  try {
    await gatherSizes(index, sizes, options.onDangling);
    await compareFiles(options, sizes);
  } finally {
    await sizes.close();
  }
}

const maxPendingChanges = 10_000;

async function gatherSizes(
  index: IndexReader,
  sizes: OrderedIndex,
  onDangling: BlobsCheckOptions['onDangling'],
): Promise<void> {
  let view = new PendingView(sizes);
  const apply = (): void => {
    if (view.changes.size > 0) sizes.apply(view.changes);
    view = new PendingView(sizes);
  };
  const note = (key: Buffer, blobId: Buffer, sizeBytes: number): void => {
    const name = blobKey(keyspace.blob, blobId);
    const known = view.get(name)?.readUIntBE(0, 6);
    if (known !== undefined && known !== sizeBytes) {
      onDangling(key, `has ${sizeBytes} bytes in blob ${blobId.toString('hex')}, which others say has ${known}`);
    }
    const size = Buffer.alloc(6);
    size.writeUIntBE(sizeBytes, 0, 6);
    view.put(name, size);
    if (view.changes.size >= maxPendingChanges) apply();
  };
  const buckets = new Set<number>();
  index.scan(wholeKeyspace(keyspace.bucket), (_key, value) => {
    buckets.add(value.readUIntBE(0, 6));
    return true;
  });
  const visits: readonly (readonly [Parameters<typeof wholeKeyspace>[0], (row: IndexRow) => void])[] = [
    [
      keyspace.object,
      ({ key, value }) => {
        if (!buckets.has(bucketIdOf(key))) onDangling(key, 'is in a bucket that is not there');
        const location = locationOf(value);
        if (location.kind === 'blob') note(key, location.blobId, bodySizeOf(value));
        if (location.kind === 'manifest' && index.get(manifestKey(location.manifestId)) === undefined) {
          onDangling(key, 'has lost the list of its parts');
        }
      },
    ],
    [
      keyspace.manifest,
      ({ key, value }) => {
        for (let part = 0; part < manifestPartCount(value); part += 1) {
          const { blobId, sizeBytes } = manifestPart(value, part);
          note(key, blobId, sizeBytes);
        }
      },
    ],
    [
      keyspace.part,
      ({ key, value }) => {
        const { blobId, sizeBytes } = decodePartRow(value);
        note(key, blobId, sizeBytes);
      },
    ],
  ];
  for (const [space, visit] of visits) {
    for (const page of rowPages(index, wholeKeyspace(space))) {
      for (const row of page) visit(row);
      await new Promise(setImmediate);
    }
  }
  apply();
}

/** Walks along files and rows together: both are in order of blob id. */
async function compareFiles(options: BlobsCheckOptions, sizes: OrderedIndex): Promise<void> {
  const { folder } = options;
  const { disk, directory } = folder;
  const check = async (blobId: Buffer, expectedSizeBytes: number): Promise<void> => {
    const onRead = async (sizeBytes: number): Promise<void> => options.onRead(sizeBytes);
    options.onChecked(blobId, await checkBlob({ disk, directory, blobId, expectedSizeBytes, onRead }));
  };
  const rows = expectedBlobs(sizes);
  let row = rows.next();
  for await (const blobId of listBlobs(disk, directory, options.onForeign)) {
    while (row.done !== true && row.value.blobId.compare(blobId) < 0) {
      await check(row.value.blobId, row.value.sizeBytes);
      row = rows.next();
    }
    if (row.done === true || !row.value.blobId.equals(blobId)) {
      options.onUnreferenced(blobId);
      continue;
    }
    await check(blobId, row.value.sizeBytes);
    row = rows.next();
  }
  for (; row.done !== true; row = rows.next()) await check(row.value.blobId, row.value.sizeBytes);
}

function* expectedBlobs(sizes: IndexReader): Generator<{ blobId: Buffer; sizeBytes: number }, void, undefined> {
  for (const page of rowPages(sizes, wholeKeyspace(keyspace.blob))) {
    for (const { key, value } of page)
      yield { blobId: Buffer.from(key.subarray(1)), sizeBytes: value.readUIntBE(0, 6) };
  }
}
