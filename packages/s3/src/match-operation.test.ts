import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchOperation, type OperationRequest } from './match-operation.ts';
import { type Operation, operationNames, operations } from './operations.ts';

function match(
  method: string,
  level: OperationRequest['level'],
  query = '',
  headers: OperationRequest['headers'] = {},
): string {
  return matchOperation({ method, level, query: [...new URLSearchParams(query)], headers });
}

test('every row of the table is found by what the table says of it', () => {
  for (const name of operationNames) {
    const row: Operation = operations[name];
    if (row.endpoint !== undefined) continue;
    const query: [string, string][] = row.query.map((condition) => {
      const [parameter = '', value = 'x'] = condition.split('=');
      return [parameter, value];
    });
    const headers = {
      ...(row.header === undefined ? {} : { [row.header]: '/b/k' }),
      ...(row.form ? { 'content-type': 'multipart/form-data; boundary=x' } : {}),
    };
    const expected = row.supersededBy ?? name;
    for (const signed of [[], [['X-Amz-Signature', 'x']], [['x-id', name]]] as [string, string][][]) {
      assert.equal(matchOperation({ ...row, query: [...query, ...signed], headers }), expected);
    }
    for (const parameter of row.parameters ?? []) {
      assert.equal(matchOperation({ ...row, query: [...query, [parameter, '1']], headers }), expected, parameter);
    }
  }
});

test('what an operation is told from', () => {
  assert.equal(match('GET', 'object', 'x-id=GetObject'), 'GetObject');
  assert.equal(match('GET', 'object', 'response-content-type=text/plain&versionId=null'), 'GetObject');
  assert.equal(match('PUT', 'object', '', { 'x-amz-copy-source': 'b/k' }), 'CopyObject');
  assert.equal(match('PUT', 'object', 'x-id=CopyObject', { 'x-amz-copy-source': 'b/k' }), 'CopyObject');
  assert.equal(match('PUT', 'object', 'partNumber=1&uploadId=u'), 'UploadPart');
  assert.equal(match('PUT', 'object', 'partNumber=1&uploadId=u', { 'x-amz-copy-source': 'b/k' }), 'UploadPartCopy');
  assert.equal(match('GET', 'object', 'uploadId=u'), 'ListParts');
  assert.equal(match('GET', 'object', 'partNumber=2'), 'GetObject');
  assert.equal(match('GET', 'bucket', 'list-type=2&prefix=a'), 'ListObjectsV2');
  assert.equal(match('GET', 'bucket', 'prefix=a'), 'ListObjects');
  assert.equal(match('GET', 'bucket', 'list-type=1'), 'ListObjects');
  assert.equal(match('GET', 'bucket', 'analytics'), 'ListBucketAnalyticsConfigurations');
  assert.equal(match('GET', 'bucket', 'analytics&id=1'), 'GetBucketAnalyticsConfiguration');
  assert.equal(match('GET', 'service'), 'ListBuckets');
  assert.equal(match('POST', 'bucket', '', { 'content-type': 'Multipart/Form-Data; boundary=x' }), 'PostObject');
  assert.equal(
    match('PUT', 'object', 'X-Amz-Signature=0&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32'),
    'PutObject',
  );
});

test('a sub-resource never falls through to the plain operation', () => {
  const rows: readonly Operation[] = operationNames.map((name) => operations[name]);
  const subResources = new Set(
    rows.flatMap((row) => row.query.slice(0, 1)).filter((name) => /^[A-Za-z-]+$/.test(name)),
  );
  subResources.delete('partNumber');
  assert.ok(subResources.size > 30);
  const plain = new Set(['GetObject', 'PutObject', 'DeleteObject', 'HeadObject', 'ListObjects', 'CreateBucket']);
  for (const method of ['GET', 'PUT', 'POST', 'DELETE', 'HEAD']) {
    for (const level of ['bucket', 'object'] as const) {
      for (const name of subResources) {
        let matched: string | undefined;
        try {
          matched = match(method, level, `${name}=`);
        } catch (error) {
          assert.match(String((error as { code?: string }).code), /^(MethodNotAllowed|InvalidArgument)$/);
          continue;
        }
        assert.ok(!plain.has(matched) && matched !== 'DeleteBucket' && matched !== 'HeadBucket', `${method} ${name}`);
      }
    }
  }
});

test('what is not known is refused by name where it could change something', () => {
  assert.throws(() => match('DELETE', 'bucket', 'foo'), { code: 'NotImplemented', message: /foo/ });
  assert.throws(() => match('PUT', 'object', 'foo=bar'), { code: 'NotImplemented', message: /foo/ });
  assert.throws(() => match('PUT', 'object', 'versionId=1'), { code: 'InvalidArgument', message: /versionId/ });
  assert.throws(() => match('PUT', 'object', 'partNumber=1'), { code: 'InvalidArgument', message: /partNumber/ });
  assert.throws(() => match('DELETE', 'object', 'cors'), { code: 'MethodNotAllowed' });
  assert.throws(() => match('HEAD', 'bucket', 'policy'), { code: 'MethodNotAllowed' });
  assert.throws(() => match('PUT', 'bucket', 'acl&policy'), {
    code: 'InvalidArgument',
    message: /Conflicting.*acl.*policy/,
  });
  assert.throws(() => match('GET', 'object', 'tagging&acl'), { code: 'InvalidArgument', message: /Conflicting/ });
  assert.throws(() => match('PATCH', 'object'), { code: 'MethodNotAllowed' });
  assert.throws(() => match('POST', 'object'), { code: 'MethodNotAllowed' });
  assert.throws(() => match('POST', 'bucket'), { code: 'PreconditionFailed' });
  assert.throws(() => match('DELETE', 'service'), { code: 'MethodNotAllowed' });
  assert.equal(match('GET', 'object', 'foo=bar'), 'GetObject');
  assert.equal(match('GET', 'bucket', 'foo=bar'), 'ListObjects');
  assert.equal(match('HEAD', 'object', 'utm_source=x'), 'HeadObject');
});
