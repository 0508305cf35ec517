// Claim: reading the largest request of S3, a completion of 10,000 parts, stops the thread for some ten milliseconds and not
// for a hundred. Run: node bench/xml.ts
// Ours reads the document into parts; a complete XML parser, beside it, only into a tree. In turns; medians are printed.

import { parseXml } from '@rgrove/parse-xml';
import { readCompleteMultipartUploadDocument, writeListObjectsV2Document } from '@stowage/s3';

const rounds = 9;

function completion(parts: number): Buffer {
  let content = '';
  for (let number = 1; number <= parts; number += 1) {
    content +=
      '<Part><ChecksumCRC32>AAAAAA==</ChecksumCRC32><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>' +
      `<PartNumber>${number}</PartNumber></Part>`;
  }
  return Buffer.from(
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</CompleteMultipartUpload>`,
  );
}

function time(run: () => unknown): number {
  const startedAt = performance.now();
  run();
  return performance.now() - startedAt;
}

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0).toFixed(1);
}

for (const parts of [1000, 10_000]) {
  const document = completion(parts);
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(time(() => readCompleteMultipartUploadDocument(document)));
    peer.push(time(() => parseXml(document.toString())));
  }
  const [first = 0] = ours;
  console.log(
    `complete of ${parts} parts (${(document.length / 1024).toFixed(0)} KiB): ours ${median(ours)} ms ` +
      `(first ${first.toFixed(1)}), @rgrove/parse-xml ${median(peer)} ms (first ${(peer[0] ?? 0).toFixed(1)})`,
  );
}

const objects = Array.from({ length: 1000 }, (_, index) => ({
  key: `photos/2026/${index}.jpg`,
  lastModifiedMs: 1_790_000_000_000 + index,
  etag: 'd41d8cd98f00b204e9800998ecf8427e',
  sizeBytes: index,
  storageClass: 'STANDARD',
  owner: 'o',
}));
const page = { bucket: 'b', prefix: '', delimiter: '', maxKeys: 1000, isTruncated: false, objects, commonPrefixes: [] };
const writes = Array.from({ length: 50 }, () => time(() => writeListObjectsV2Document(page)));
console.log(`page of 1000 keys written: ${median(writes)} ms (first ${(writes[0] ?? 0).toFixed(1)})`);
