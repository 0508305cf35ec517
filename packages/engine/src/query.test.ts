import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isS3Error } from '@stowage/s3';
import { parseQuery, queryPageSize, queryValue } from './query.ts';

describe('parseQuery', () => {
  it('decodes names and values in order, a plus as a blank', () => {
    assert.deepEqual(parseQuery('a=1&b&c=&d=x%2By+z&&a=2&%C3%A4=%3D'), [
      ['a', '1'],
      ['b', ''],
      ['c', ''],
      ['d', 'x+y z'],
      ['a', '2'],
      ['ä', '='],
    ]);
    assert.equal(queryValue(parseQuery('a=1&a=2'), 'a'), '1');
    assert.equal(queryValue(parseQuery(''), 'a'), undefined);
  });

  it('refuses what is no percent-encoded UTF-8', () => {
    assert.throws(
      () => parseQuery('a=%ff'),
      (cause) => isS3Error(cause) && cause.code === 'InvalidURI',
    );
  });
});

describe('queryPageSize', () => {
  it('is the maximum when absent, empty or larger', () => {
    for (const query of ['', 'n=', 'n=5000', 'n=1000']) assert.equal(queryPageSize(parseQuery(query), 'n', 1000), 1000);
    assert.equal(queryPageSize(parseQuery('n=0'), 'n', 1000), 0);
    assert.equal(queryPageSize(parseQuery('n=7'), 'n', 1000), 7);
  });

  it('refuses what is no number from 0 to 2147483647', () => {
    for (const text of ['-1', 'x', '1.5', '2147483648', ' 1']) {
      const parse = () => queryPageSize([['n', text]], 'n', 1000);
      assert.throws(parse, (cause) => isS3Error(cause) && cause.code === 'InvalidArgument', text);
    }
  });
});
