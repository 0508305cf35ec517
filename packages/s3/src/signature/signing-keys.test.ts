import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scopeOf } from './sign-request.ts';
import { SigningKeys } from './signing-keys.ts';

const scope = scopeOf({ region: 'us-east-1' }, '20261121T000000Z');

describe('SigningKeys', () => {
  it('derives a key once', () => {
    const keys = new SigningKeys();
    assert.equal(keys.get('AKID', 'secret', scope), keys.get('AKID', 'secret', scope));
    assert.equal(keys.size, 1);
  });

  it('gives a changed secret its own key at once', () => {
    const keys = new SigningKeys();
    const before = keys.get('AKID', 'secret', scope).sign('text');
    const after = keys.get('AKID', 'other', scope).sign('text');
    assert.notEqual(before, after);
    assert.equal(new SigningKeys().get('AKID', 'other', scope).sign('text'), after);
    assert.equal(keys.size, 1);
  });

  it('keeps the keys used last, and no more than its capacity', () => {
    const keys = new SigningKeys(2);
    const first = keys.get('A', 'secret', scope);
    keys.get('B', 'secret', scope);
    keys.get('A', 'secret', scope);
    keys.get('C', 'secret', scope);
    assert.equal(keys.size, 2);
    assert.equal(keys.get('A', 'secret', scope), first);
  });
});
