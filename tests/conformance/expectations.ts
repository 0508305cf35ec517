// What the public suite ceph/s3-tests must show: which area a test belongs to, and for a test that may fail, why. A test
// that no row of `known` names must pass. Reasons begin with the row of the roadmap that will make it pass, or with
// `differs`: a deliberate difference, told in docs/compatibility.md.

export interface Judgement {
  readonly area: string;
  readonly reason?: string;
}

export function judge(test: { readonly file: string; readonly name: string }): Judgement {
  const area = areas.find(([pattern]) => pattern.test(test.name))?.[1] ?? 'object core';
  const reason = known.find(([pattern]) => pattern.test(test.name))?.[1];
  return {
    area: test.file === 'test_headers' ? 'headers' : test.file === 'test_s3' ? area : test.file.replace('test_', ''),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** The first that matches wins. */
const areas: readonly (readonly [RegExp, string])[] = [
  [/logging/, 'logging'],
  [/lifecycle|expiration|transition|restore|archive/, 'lifecycle, archive'],
  [/object_lock|legal_hold|retention/, 'object lock'],
  [/version|delete_marker/, 'versioning'],
  [/encrypt|sse_|_kms|bucket_key/, 'encryption'],
  [/policy(?!_)|_policy|block_public|public_block|ignore_public/, 'policy'],
  [/acl|ownership|access_bucket|grant/, 'access lists'],
  [/tag/, 'tagging'],
  [/website/, 'website'],
  [/notification|sns/, 'events'],
  [/cors/, 'cors'],
  [/post_object/, 'post object'],
  [/multipart|upload_part/, 'multipart'],
  [/copy/, 'copy'],
  [/atomic/, 'atomic'],
  [/ranged|range/, 'range'],
  [/bucket_listv2|bucket_list|basic_key_count|list_/, 'list'],
  [/ifmatch|ifnonematch|if_match|if_none|ifmodified|ifunmodified|conditional/, 'conditional'],
  [/bucket_create_naming|bucket_create_bad|naming/, 'bucket naming'],
  [/checksum|crc/, 'checksums'],
];

const known: readonly (readonly [RegExp, string])[] = [];
