// What the public suite ceph/s3-tests must show: which area a test belongs to, and for a test that may fail, why. A test
// that no row of `known` names must pass. Reasons begin with the row of the roadmap that will make it pass, or with
// `differs`: a deliberate difference, told in docs/compatibility.md.

interface Judgement {
  readonly area: string;
  readonly reason?: string;
}

export function judge(test: { readonly file: string; readonly name: string }): Judgement {
  const area = areas.find(([pattern]) => pattern.test(test.name))?.[1] ?? 'object core';
  const reason = passing.test(test.name) ? undefined : known.find(([pattern]) => pattern.test(test.name))?.[1];
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
  [/encrypt|sse_|_kms|bucket_key|obj_enc|copy_enc|copy_part_enc/, 'encryption'],
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

/** Named by a row below, and nevertheless passing: they must go on to. */
const passing = new RegExp(
  `^test_(${[
    'bucket_listv?2?_objects_anonymous_fail',
    'post_object_(request_)?missing_policy_\\w+',
    'post_object_expired_policy',
    'object_anon_put',
    'object_presigned_put_object_with_acl(_tenant)?',
    'encryption_sse_c_no_(md5|key)',
    'sse_kms_no_key',
  ].join('|')})$`,
);

const known: readonly (readonly [RegExp, string])[] = [
  // Whole features of later rows.
  [/encrypt|sse_|_kms|bucket_key|obj_enc|copy_enc|copy_part_enc|encryption/, 'O9: encryption at rest'],
  [/logging/, 'O20: server access logs'],
  [/lifecycle|expiration|transition|restore|archive|storage_class/, 'O13, O14: lifecycle and storage classes'],
  [/object_lock|legal_hold|retention/, 'O17: Object Lock'],
  [/torrent/, 'differs: AWS has retired torrents; the operation answers NotImplemented'],
  [/delete_marker_nonversioned/, 'differs: AWS tells of delete markers only where there can be some'],
  [/versioning|versioned|versions|version_id|delete_marker|_version_/, 'O8: versioning'],
  [/put_current_object_if|put_object_current_if_match/, 'O8: these begin by enabling versioning'],
  [/tagging|_tags|obj_tag/, 'O12: tagging'],
  [/policy|block_public|public_block|ignore_public|notprincipal/, 'O10: bucket policies and Public Access Block'],
  [/website/, 'O19: static website'],
  [/notification|sns/, 'O15: events'],
  [/acl|ownership|access_bucket|grant|owner_enforced|owner_preferred|object_writer/, 'O10: access lists and ownership'],
  [/_anon|anonymous/, 'O10: access without a key'],
  // Tests of other matters that make a public bucket or object first, or read the access list.
  [
    /object_raw_(get|authenticated)|object_delete_key_bucket_gone|expires_(out|not_expired)|100_continue$/,
    'O10: makes a public bucket first',
  ],
  [/bucket_list_return_data|copy_not_owned_object_bucket|special_key_names/, 'O10: reads the access list'],
  [/expected_bucket_owner|list_multipart_upload_owner/, 'O10: makes a public bucket first'],
  [/cors_origin|cors_header_option|cors_presigned_(get|put)_object(_tenant)?$/, 'O10: makes a public bucket first'],
  [
    /post_object_(authenticated_no_content_type|authenticated_request_bad_access_key|set_.*success_code|success_redirect)/,
    'O10: makes a public bucket first',
  ],
  // Deliberate differences.
  [
    /_aws2$|_v2$/,
    'differs: signature version 2 in headers, which AWS has retired, is refused (presigned URLs of version 2 work)',
  ],
  [
    /bad_authorization_(empty|none)$|object_create_bad_contentlength_none$/,
    "differs: today's boto3 signs and sends its own header over the one that the test breaks; such a request is valid",
  ],
  [/object_set_get_unicode_metadata/, 'differs: non-ASCII metadata is returned as RFC 2047 words, as AWS does'],
  [/raw_put_authenticated_expired/, 'differs: a negative X-Amz-Expires is no expired URL but a malformed one, 400'],
  [/multipart_get_part|single_get_part|multipart_get_part/, 'differs: AWS answers 416 to a part number out of range'],
  [/multipart_resend_first_finishes_last/, 'differs: it names one part twice, which is InvalidPartOrder'],
  [/object_read_unreadable/, 'differs: the key is valid Unicode by now, and not there: NoSuchKey'],
  [/checksum_(sha256|crc64nvme)$/, 'differs: a checksum of a wrong length is InvalidRequest, as at AWS'],
  [
    /get_(multipart|paginated_multipart|single_multipart)_object_attributes/,
    'differs: AWS lists the parts only of objects with a checksum',
  ],
];
