import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFilesError } from './files-error.ts';
import { openPolicies, requireAllowed, type UploadPolicies } from './policies.ts';

const policies: UploadPolicies = {
  photos: {
    types: ['image/*'],
    extensions: ['jpg', 'png'],
    maxSizeBytes: 100,
    minSizeBytes: 1,
    namePattern: /[\w.-]+/,
  },
};

function refusal(name: string, sizeBytes: number, type: string): string | undefined {
  try {
    requireAllowed(openPolicies(policies).choose('photos'), { name, sizeBytes }, type);
    return undefined;
  } catch (error) {
    assert.ok(isFilesError(error));
    return error.code;
  }
}

test('a policy takes what it says and names what it does not', () => {
  assert.equal(refusal('a.JPG', 100, 'image/jpeg'), undefined);
  assert.equal(refusal('a.jpg', 101, 'image/jpeg'), 'file-too-large');
  assert.equal(refusal('a.jpg', 0, 'image/jpeg'), 'invalid-request');
  assert.equal(refusal('a.gif', 5, 'image/gif'), 'type-not-allowed');
  assert.equal(refusal('a.jpg', 5, 'text/plain'), 'type-not-allowed');
  assert.equal(refusal('a b.jpg', 5, 'image/jpeg'), 'invalid-request');
});

test('a category that is not there is refused when announced, and falls back for files that are there', () => {
  const opened = openPolicies(policies);
  assert.throws(() => opened.choose('videos'), /There is no category "videos".*default, photos/);
  assert.equal(opened.of('videos').category, 'default');
});

test('a policy that makes no sense is refused with its name', () => {
  assert.throws(() => openPolicies({ 'A b': {} }), /category "A b" must match/);
  assert.throws(() => openPolicies({ a: { types: ['image'] } }), /type of category a is image/);
  assert.throws(() => openPolicies({ a: { extensions: ['.JPG'] } }), /extension of category a/);
  assert.throws(() => openPolicies({ a: { keepVersions: -1 } }), /keepVersions of category a is -1/);
});
