import assert from 'node:assert/strict';
import { it } from 'node:test';
import { judgeAnswer } from './bucket-answer.ts';

function xml(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>So it is.</Message></Error>`;
}

const cases: readonly [number, string, string, boolean?][] = [
  [200, '', 'stored'],
  [204, '', 'stored'],
  [500, xml('InternalError'), 'failed', true],
  [503, '', 'failed', true],
  [400, xml('RequestTimeout'), 'failed', true],
  [409, xml('ConditionalRequestConflict'), 'failed', true],
  [400, xml('EntityTooLarge'), 'failed', false],
  [403, xml('AccessDenied'), 'sign-again', false],
  [400, xml('ExpiredToken'), 'sign-again', false],
  [404, xml('NoSuchUpload'), 'ask-service', false],
  [412, xml('PreconditionFailed'), 'ask-service', false],
  [302, '', 'failed', false],
];

for (const [status, text, kind, retryable] of cases) {
  it(`${status} ${/<Code>(\w+)/.exec(text)?.[1] ?? ''} means ${kind}`, () => {
    const verdict = judgeAnswer({ status, text });
    assert.equal(verdict.kind, kind);
    if (verdict.kind !== 'stored') assert.equal(verdict.fault.retryable, retryable);
  });
}

it('says why the storage refused, and nothing twice', () => {
  const said = (status: number, text: string): string => {
    const verdict = judgeAnswer({ status, text });
    return verdict.kind === 'stored' ? '' : verdict.fault.message;
  };
  const error = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
  assert.equal(said(403, error), 'The storage refused the bytes: Access Denied.');
  assert.equal(said(400, xml('EntityTooLarge')), 'The storage refused the bytes: So it is (EntityTooLarge).');
  assert.equal(said(400, '<Code>BadDigest</Code>'), 'The storage refused the bytes: BadDigest.');
  assert.equal(said(302, ''), 'The storage refused the bytes: it answered 302.');
});
