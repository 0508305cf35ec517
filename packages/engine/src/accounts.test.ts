import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Account, AccountDirectory } from './accounts.ts';

function account(overrides: Partial<Account> = {}): Account {
  return { id: '1', displayName: 'one', root: true, accessKeyId: 'A', secretAccessKey: 's', ...overrides };
}

describe('AccountDirectory', () => {
  it('finds an account by any of its keys, and its name', () => {
    const directory = new AccountDirectory([
      account(),
      account({ accessKeyId: 'B' }),
      account({ id: '2', accessKeyId: 'C', displayName: 'two' }),
    ]);
    assert.equal(directory.findByAccessKey('B')?.id, '1');
    assert.equal(directory.findByAccessKey('D'), undefined);
    assert.equal(directory.displayName('2'), 'two');
    assert.equal(directory.displayName('gone'), 'gone');
  });

  it('refuses lists that cannot be meant', () => {
    assert.throws(() => new AccountDirectory([]), /empty/);
    assert.throws(() => new AccountDirectory([account(), account({ id: '2' })]), /Two accounts have the access key A/);
    assert.throws(() => new AccountDirectory([account({ secretAccessKey: '' })]), /lacks/);
  });
});
