import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileState, fileStateNames, fileStates, mayFollow } from '@stowage/contract';
import type { FileRecord } from '../file-record.ts';
import { defaultLimits } from '../limits.ts';
import { openPolicies } from '../policies.ts';
import { aFile } from '../testing/a-file.ts';
import { canHappen, type FileEvent, transition } from './file-lifecycle.ts';

const nowMs = 1_800_000_000_000;
const facts = { sizeBytes: 1, etag: '"e"', versionId: undefined, checksum: undefined };
const events: readonly FileEvent[] = [
  { kind: 'parts-seen' },
  { kind: 'join-started' },
  { kind: 'join-failed' },
  { kind: 'stored', facts },
  { kind: 'validation-started' },
  { kind: 'validated', contentType: 'text/plain' },
  { kind: 'rejected', reason: 'why' },
  { kind: 'scanned', policy: 'none', previewable: true },
  { kind: 'infected', signature: 'Eicar' },
  { kind: 'scan-failed', reason: 'why' },
  { kind: 'rescan' },
  { kind: 'trashed' },
  { kind: 'restored', previewable: true },
  { kind: 'purge-started' },
  { kind: 'purged' },
  { kind: 'aborted', reason: null },
  { kind: 'expired' },
];
const atRest: readonly FileState[] = ['ready', 'purged'];

function everyTransition(): { file: FileRecord; event: FileEvent; to: ReturnType<typeof transition> }[] {
  return fileStateNames.flatMap((state) => {
    const file = aFile({ state, signedUntilMs: nowMs + 60_000, uploadExpiresAtMs: nowMs + 3_600_000 });
    return events
      .filter(({ kind }) => canHappen(file, kind))
      .map((event) => ({ file, event, to: transition(file, event, context()) }));
  });
}

test('no step of an upload makes it due in the past, however long ago its time was over', () => {
  for (const state of fileStateNames) {
    const file = aFile({ state, uploadExpiresAtMs: nowMs - 3_600_000 });
    for (const kind of ['parts-seen', 'join-started', 'join-failed'] as const) {
      if (!canHappen(file, kind)) continue;
      const { reviewAtMs } = transition(file, { kind }, context()).changes;
      assert.ok(typeof reviewAtMs === 'number' && reviewAtMs > nowMs, `${kind} of a file that is ${state}`);
    }
  }
});

test('every step is one that the state table allows, and others throw', () => {
  for (const { file, to } of everyTransition()) assert.ok(mayFollow(file.state, to.changes.state));
  assert.throws(() =>
    transition(aFile({ state: 'pending' }), { kind: 'scanned', policy: '', previewable: false }, context()),
  );
});

test('every state that is not at rest has a time at which it is looked at', () => {
  for (const { event, to } of everyTransition()) {
    const { state, reviewAtMs } = to.changes;
    if (atRest.includes(state)) assert.equal(reviewAtMs, null, event.kind);
    else assert.ok(typeof reviewAtMs === 'number' && reviewAtMs > nowMs, `${event.kind} → ${state}`);
  }
});

test('nothing is downloadable before it was validated and scanned', () => {
  for (const { file, event, to } of everyTransition()) {
    if (!fileStates[to.changes.state].downloadable) continue;
    assert.ok(event.kind === 'scanned' || event.kind === 'restored');
    assert.ok(file.state === 'scanning' || file.state === 'trashed');
  }
});

test('bytes of a PUT are not purged while a URL that can write them is good', () => {
  const file = aFile({ state: 'trashed', strategy: 'put', signedUntilMs: nowMs + 60_000 });
  const { jobs } = transition(file, { kind: 'purge-started' }, context());
  assert.deepEqual(jobs, [{ kind: 'purge', dueAtMs: nowMs + 60_000 + defaultLimits.urlLifeMs }]);
});

test('what was written beside the judged bytes is cleared when no URL can write any more, whatever the verdict', () => {
  const dueAtMs = nowMs + 60_000 + defaultLimits.urlLifeMs;
  for (const event of events.filter(({ kind }) => kind === 'validated' || kind === 'rejected')) {
    const jobsOf = (over: Partial<FileRecord>): readonly object[] =>
      transition(aFile({ state: 'validating', signedUntilMs: nowMs + 60_000, ...over }), event, context()).jobs;
    assert.deepEqual(jobsOf({}), []);
    assert.deepEqual(jobsOf({ stagingKey: 'incoming/key' }), [{ kind: 'unstage', dueAtMs }]);
    assert.deepEqual(jobsOf({ objectVersionId: 'version' }), [{ kind: 'unversion', dueAtMs }]);
  }
});

test('an upload that ends frees what it holds at once, and looks again when no URL is good any more', () => {
  for (const kind of ['aborted', 'expired'] as const) {
    const file = aFile({ state: 'uploading', signedUntilMs: nowMs + 60_000 });
    const event: FileEvent = kind === 'aborted' ? { kind, reason: null } : { kind };
    const { jobs, changes } = transition(file, event, context());
    assert.deepEqual(jobs, [{ kind: 'discard', dueAtMs: nowMs }]);
    assert.ok((changes.reviewAtMs ?? 0) > file.signedUntilMs);
  }
});

function context(): Parameters<typeof transition>[2] {
  return { nowMs, limits: defaultLimits, policies: openPolicies() };
}
