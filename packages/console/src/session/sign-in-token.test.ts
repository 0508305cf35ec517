import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readSignInToken, takeSignInToken } from './sign-in-token.ts';

function pageAt(href: string): { page: Window; replaced: string[] } {
  const replaced: string[] = [];
  const history = { state: null, replaceState: (_state: unknown, _title: string, url: URL) => replaced.push(url.href) };
  // Proof of the cast: takeSignInToken asks for location and history alone.
  return { page: { location: { href }, history } as unknown as Window, replaced };
}

it('takes the token out of the fragment or the query, and out of the address', () => {
  for (const href of ['http://h/sign-in#token=abc', 'http://h/sign-in?token=abc']) {
    const { page, replaced } = pageAt(href);
    assert.equal(takeSignInToken(page), 'abc');
    assert.deepEqual(replaced, ['http://h/sign-in']);
  }
});

it('keeps the rest of the address', () => {
  const { page, replaced } = pageAt('http://h/?name=x&token=abc');
  takeSignInToken(page);
  assert.deepEqual(replaced, ['http://h/?name=x']);
});

it('leaves an address without a token alone', () => {
  const { page, replaced } = pageAt('http://h/?name=x#top');
  assert.equal(takeSignInToken(page), undefined);
  assert.deepEqual(replaced, []);
});

it('reads what a user pastes', () => {
  assert.equal(readSignInToken('  http://127.0.0.1:3000/sign-in#token=a-b_c \n'), 'a-b_c');
  const token = 'a-b_c'.repeat(9);
  assert.equal(readSignInToken(` ${token}\n`), token);
  assert.equal(readSignInToken('hello'), undefined, 'a word is no token');
  assert.equal(readSignInToken('not a link'), undefined);
  assert.equal(readSignInToken('http://127.0.0.1:3000/'), undefined);
});
