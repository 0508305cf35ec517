import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ClientError, type MissedFile, type UploadItem } from '@stowage/client';
import type { Upload } from '@stowage/contract';
import { describeMissed } from './missed-words.ts';
import { describeOverall, isWaiting } from './upload-words.ts';

const totals = { sentBytes: 42, totalBytes: 100, bytesPerSecond: 5_000_000, active: 1, paused: 0, ready: 0, failed: 0 };
// Only what is looked at.
const item = (state: UploadItem['state'], trouble?: ClientError): UploadItem =>
  ({ state, ...(trouble === undefined ? {} : { trouble }) }) as UploadItem;

it('says no speed while everything waits for the connection', () => {
  const lost = new ClientError('network');
  assert.equal(isWaiting([item('sending', lost), item('queued'), item('paused')]), true);
  assert.equal(isWaiting([item('sending', lost), item('sending')]), false);
  assert.equal(isWaiting([item('queued')]), false);
  assert.equal(describeOverall(totals, true), '42% · waiting for the connection');
  assert.match(describeOverall(totals, false), /^42% · 5 MB\/s$/);
});

it('says why an upload does not go on, and what to do', () => {
  const missed = (name: string, reason: MissedFile['reason']): MissedFile => ({ upload: { name } as Upload, reason });
  const says = (...all: readonly MissedFile[]): string => {
    const { title, detail } = describeMissed(all);
    return `${title}: ${detail}`;
  };
  assert.match(says(missed('a', 'not-allowed')), /^“a” does not go on: .*leave to read it.*allow it/);
  assert.match(says(missed('a', 'changed')), /changed since.*upload the file anew/);
  assert.match(says(missed('a', 'not-found')), /moved or deleted/);
  assert.match(says(missed('a', 'not-remembered')), /Choose it again/);
  assert.match(
    says(missed('a', 'not-allowed'), missed('b', 'not-allowed')),
    /^2 uploads do not go on: .*leave to read/,
  );
  assert.match(says(missed('a', 'not-found'), missed('b', 'changed')), /Choose their files.*Changed since: “b”/);
});
