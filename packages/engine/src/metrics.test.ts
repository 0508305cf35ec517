import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Metrics } from './metrics.ts';

it('counts requests, errors, bytes and durations in the text format of Prometheus', () => {
  const metrics = new Metrics();
  metrics.record({ operation: 'GetObject', status: 200, durationMs: 0.5, receivedBytes: 0, sentBytes: 10 });
  metrics.record({ operation: 'GetObject', status: 200, durationMs: 3, receivedBytes: 0, sentBytes: 5 });
  metrics.record({ operation: 'GetObject', status: 500, durationMs: 100_000, receivedBytes: 1, sentBytes: 0 });
  const lines = metrics
    .render({ health: { status: 'read-only', reason: 'full', durability: { level: 'memory' } }, runningRequests: 2 })
    .split('\n');
  for (const line of [
    'stowage_requests_total{operation="GetObject",status="200"} 2',
    'stowage_requests_total{operation="GetObject",status="500"} 1',
    'stowage_errors_total{operation="GetObject"} 1',
    'stowage_request_duration_seconds_bucket{operation="GetObject",le="0.001"} 1',
    'stowage_request_duration_seconds_bucket{operation="GetObject",le="0.005"} 2',
    'stowage_request_duration_seconds_bucket{operation="GetObject",le="60"} 2',
    'stowage_request_duration_seconds_bucket{operation="GetObject",le="+Inf"} 3',
    'stowage_request_duration_seconds_count{operation="GetObject"} 3',
    'stowage_received_bytes_total 1',
    'stowage_sent_bytes_total 15',
    'stowage_running_requests 2',
    'stowage_store_writable 0',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.equal(lines.at(-1), '');
});

it('shows how far consumers of changes are behind', () => {
  const status = { name: 'events/one', open: true, acknowledged: 7 };
  const health = {
    status: 'ok',
    durability: { level: 'interval', intervalMs: 20 },
    cursors: [
      { ...status, changes: 3, bytes: 900, oldestAtMs: 1_700_000_000_500 },
      { ...status, name: 'backup', open: false, changes: 0, bytes: 0 },
    ],
  } as const;
  const lines = new Metrics().render({ health, runningRequests: 0 }).split('\n');
  for (const line of [
    'stowage_default_durability_info{level="interval",interval_seconds="0.02"} 1',
    'stowage_cursor_lag_changes{cursor="events/one"} 3',
    'stowage_cursor_lag_changes{cursor="backup"} 0',
    'stowage_cursor_lag_bytes{cursor="events/one"} 900',
    'stowage_cursor_oldest_change_timestamp_seconds{cursor="events/one"} 1700000000.5',
    'stowage_cursor_open{cursor="backup"} 0',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(!lines.some((line) => line.includes('timestamp_seconds{cursor="backup"}')));
});

it('shows how the journal gives room back', () => {
  const compaction = {
    running: false,
    segments: 7,
    journalBytes: 4000,
    liveBytes: 2500,
    keptSegments: 1,
    removedSegments: 3,
    removedBytes: 900,
    writtenBytes: 100,
  };
  const health = { status: 'ok', durability: { level: 'strict' }, compaction } as const;
  const lines = new Metrics().render({ health, runningRequests: 0 }).split('\n');
  for (const line of [
    'stowage_journal_segments 7',
    'stowage_journal_bytes 4000',
    'stowage_journal_live_bytes 2500',
    'stowage_journal_damaged_segments 1',
    'stowage_compaction_removed_segments_total 3',
    'stowage_compaction_removed_bytes_total 900',
    'stowage_compaction_written_bytes_total 100',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

it('counts damage, names the objects that it concerns, and shows how far scrubbing is', () => {
  const place = { file: 'journal/000001.seg', offset: 64, sizeBytes: 10, description: 'a block fails its checksum' };
  const health = {
    status: 'ok',
    durability: { level: 'strict' },
    damageCount: 3,
    damage: [
      { ...place, objects: [{ bucket: 'b', key: 'plain' }] },
      {
        ...place,
        offset: 99,
        objects: [
          { bucket: 'b', key: 'plain' },
          { bucket: 'b', key: 'a "quoted"\n\\ key' },
        ],
      },
    ],
    scrub: { bytesPerSecond: 1000, running: true, checkedBytes: 5, passesCompleted: 2, lastCompletedAtMs: 1500 },
  } as const;
  const lines = new Metrics().render({ health, runningRequests: 0 }).split('\n');
  for (const line of [
    'stowage_damage_total 3',
    'stowage_damaged_object{bucket="b",key="plain"} 1',
    'stowage_damaged_object{bucket="b",key="a \\"quoted\\"\\n\\\\ key"} 1',
    'stowage_scrub_running 1',
    'stowage_scrub_limit_bytes_per_second 1000',
    'stowage_scrub_checked_bytes_total 5',
    'stowage_scrub_passes_total 2',
    'stowage_scrub_last_completed_timestamp_seconds 1.5',
  ]) {
    assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`);
  }
});
