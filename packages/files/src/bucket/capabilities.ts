// What the file service would like an endpoint of S3 to do, as one table: what each capability means, what becomes of uploads
// without it, and what is known of endpoints that many use. Nothing here is taken for granted: the service tries each on the
// endpoint itself (probe-endpoint.ts), and compares. docs/endpoints.md is generated from this table.

/** Endpoints whose ways are known. */
export const knownEndpoints = {
  engine: 'Stowage’s own engine',
  aws: 'Amazon S3',
  ceph16: 'Ceph’s gateway 16.2 (Pacific)',
  minio: 'MinIO of 2025',
  r2: 'Cloudflare R2',
} as const satisfies Record<string, string>;

export type KnownEndpoint = keyof typeof knownEndpoints;

/** `either`: it depends on the bucket, on how it was set up, or on the release. */
type Expectation = 'yes' | 'no' | 'either';

interface CapabilityRow {
  /** What the endpoint does. */
  readonly what: string;
  /** What the service does where that was not proven. */
  readonly without: string;
  readonly known: Readonly<Record<KnownEndpoint, Expectation>>;
}

/** In a bucket that keeps versions Ceph 16 takes every conditional PUT: each makes a version of its own. */
const exceptInVersions = { ceph16: 'either' } as const;
const allYes = { engine: 'yes', aws: 'yes', ceph16: 'yes', minio: 'yes', r2: 'yes' } as const;

export const capabilities = {
  conditionalPut: {
    what: 'A PUT with `If-None-Match: *` to a key that is taken answers 412 and changes nothing.',
    without: 'The key is sealed by a version id, or by promotion.',
    known: { ...allYes, ...exceptInVersions },
  },
  conditionalPutRace: {
    what: 'Of several such PUTs at the same moment exactly one succeeds.',
    without: 'As above.',
    known: { ...allYes, ...exceptInVersions },
  },
  conditionalPutSigned: {
    what: 'A presigned PUT that signs `if-none-match` is refused when the header is left out, and answers 412 the second time.',
    without: 'As above.',
    known: { ...allYes, ...exceptInVersions },
  },
  signedLength: {
    what: 'A presigned PUT that signs `content-length` is refused when more or fewer bytes come.',
    without: 'The size is compared once the bytes are there; a file of another size is rejected.',
    known: { ...allYes, r2: 'either' },
  },
  signedType: {
    what: 'A presigned PUT that signs `content-type` is refused when another type comes.',
    without: 'Downloads name the type themselves; nothing is lost.',
    known: allYes,
  },
  signedChecksum: {
    what: 'A presigned PUT that signs `x-amz-checksum-sha256` is refused when other bytes come.',
    without: 'The service reads the bytes and compares.',
    known: { engine: 'yes', aws: 'yes', ceph16: 'no', minio: 'yes', r2: 'yes' },
  },
  checksumCrc32: {
    what: 'A PUT or a part with a wrong `x-amz-checksum-crc32` is refused, and HEAD tells a right one.',
    without: 'The service reads the bytes and compares.',
    known: { engine: 'yes', aws: 'yes', ceph16: 'no', minio: 'yes', r2: 'either' },
  },
  checksumCrc64nvme: {
    what: 'The same of `x-amz-checksum-crc64nvme`.',
    without: 'The service reads the bytes and compares.',
    known: { engine: 'yes', aws: 'yes', ceph16: 'no', minio: 'either', r2: 'yes' },
  },
  checksumSha256: {
    what: 'The same of `x-amz-checksum-sha256`.',
    without: 'The service reads the bytes and compares.',
    known: { engine: 'yes', aws: 'yes', ceph16: 'no', minio: 'yes', r2: 'yes' },
  },
  partsEndWithCompletion: {
    what: 'Once the parts are joined, a part sent to the same upload is refused and the object stays as it is.',
    without: 'Uploads in parts are promoted too.',
    known: allYes,
  },
  conditionalComplete: {
    what: 'Joining parts with `If-None-Match: *` where the key is taken answers 412.',
    without: 'Nothing rests on it: the service joins an upload once, under a key of its own.',
    known: { engine: 'yes', aws: 'yes', ceph16: 'no', minio: 'either', r2: 'yes' },
  },
  completeEtag: {
    what: 'The answer to joining parts tells the ETag.',
    without: 'HEAD tells it.',
    known: { engine: 'yes', aws: 'yes', ceph16: 'no', minio: 'yes', r2: 'yes' },
  },
  listMultipartByPrefix: {
    what: 'Unfinished uploads are listed by the prefix of their keys.',
    without: 'An upload whose id was lost in a crash stays until the bucket’s own lifecycle ends it.',
    known: allYes,
  },
  copy: {
    what: 'An object is copied within the bucket, bytes and size the same.',
    without: 'Files are not copied, and nothing is promoted.',
    known: allYes,
  },
  copyParts: {
    what: 'Parts are copied out of an object, by byte range.',
    without: 'Nothing above 5 GiB is copied or promoted.',
    known: allYes,
  },
  conditionalCopySource: {
    what: 'A copy with another `x-amz-copy-source-if-match` than the ETag of the source answers 412.',
    without: 'Nothing rests on it: what was copied is judged where it lies then.',
    known: { ...allYes, ceph16: 'no' },
  },
  conditionalRead: {
    what: 'A GET with another `If-Match` than the ETag answers 412.',
    without: 'Files in the bucket are watched by HEAD alone.',
    known: allYes,
  },
  downloadHeaders: {
    what: 'A presigned GET answers with the `response-content-type` and `response-content-disposition` that were signed.',
    without: 'Required: without it a page could be made to run what was uploaded.',
    known: allYes,
  },
  versions: {
    what: 'The bucket keeps versions: each PUT has an id, and a read by that id gives those bytes when the key was written again.',
    without: 'Nothing is sealed by a version id.',
    known: { engine: 'no', aws: 'either', ceph16: 'either', minio: 'either', r2: 'no' },
  },
  form: {
    what: 'A form (POST policy) writes exactly the key, the type and the number of bytes that were signed, and no other.',
    without: 'Clients that can only send a form are refused.',
    known: { ...allYes, r2: 'no' },
  },
  formOnce: {
    what: 'A form whose policy holds `If-None-Match: *` writes only a key that is free.',
    without: 'What a form wrote is sealed by a version id, or by promotion.',
    known: { engine: 'no', aws: 'no', ceph16: 'no', minio: 'no', r2: 'no' },
  },
  objectAttributes: {
    what: 'GetObjectAttributes answers with the attributes and not with the object.',
    without: 'HEAD tells enough.',
    known: { engine: 'yes', aws: 'yes', ceph16: 'no', minio: 'yes', r2: 'no' },
  },
  cors: {
    what: 'A preflight from the page’s origin is answered for PUT and POST, and the ETag is exposed.',
    without: 'Pages in a browser cannot send bytes; programs can.',
    known: { engine: 'yes', aws: 'either', ceph16: 'yes', minio: 'either', r2: 'either' },
  },
} as const satisfies Record<string, CapabilityRow>;

export type Capability = keyof typeof capabilities;

// Object.keys of a const table gives the table's own keys.
const capabilityNames = Object.keys(capabilities) as readonly Capability[];

/** What was found of each capability. What is not `true` was not proven. */
export type FoundCapabilities = Readonly<Record<Capability, boolean>>;

/** What may be counted on where probing is forbidden: what that endpoint always does. */
export function expectedCapabilities(endpoint: KnownEndpoint): Record<Capability, boolean> {
  return Object.fromEntries(
    capabilityNames.map((name) => [name, capabilities[name].known[endpoint] === 'yes']),
  ) as Record<Capability, boolean>; // one entry for each name
}

/** Where an endpoint differs from what is known of it. */
export function unexpectedCapabilities(
  found: FoundCapabilities,
  endpoint: KnownEndpoint,
): readonly { readonly capability: Capability; readonly found: boolean }[] {
  return capabilityNames
    .filter((name) => {
      const expected = capabilities[name].known[endpoint];
      return expected !== 'either' && (expected === 'yes') !== found[name];
    })
    .map((capability) => ({ capability, found: found[capability] }));
}

/** The known endpoint that it is most like. */
export function mostLike(found: FoundCapabilities): KnownEndpoint {
  const [first] = Object.keys(knownEndpoints)
    // Object.keys of a const table gives the table's own keys.
    .map((name) => name as KnownEndpoint)
    .map((name) => ({ name, differences: unexpectedCapabilities(found, name).length }))
    .sort((one, other) => one.differences - other.differences);
  return first?.name ?? 'aws';
}
