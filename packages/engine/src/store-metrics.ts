// What the store's health says, as Prometheus reads it: durability by bucket, how far consumers of changes are behind, and how
// the journal gives room back.

import type { BucketDurability, CompactionHealth, CursorStatus, Durability, StoreHealth } from '@stowage/store';
import { counter, gauge, gauges } from './prometheus-text.ts';

export function renderStoreMetrics(health: StoreHealth): string[] {
  return [
    ...gauge(
      'stowage_store_writable',
      '1 while the store takes writes, 0 when it is read-only.',
      health.status === 'ok' ? 1 : 0,
    ),
    ...renderDurability(health.durability, health.bucketDurabilities ?? []),
    ...renderCursors(health.cursors ?? []),
    ...(health.compaction === undefined ? [] : renderCompaction(health.compaction)),
  ];
}

function renderDurability(usual: Durability, buckets: readonly BucketDurability[]): string[] {
  return [
    ...gauges({
      name: 'stowage_default_durability_info',
      help: 'How durable an acknowledged write is, in buckets without a level of their own.',
      samples: [{ labels: labelsOf(usual), value: 1 }],
    }),
    ...gauges({
      name: 'stowage_bucket_durability_info',
      help: 'Buckets with a durability of their own.',
      samples: buckets.map(({ bucket, durability }) => ({ labels: { bucket, ...labelsOf(durability) }, value: 1 })),
    }),
  ];
}

function labelsOf(durability: Durability): Record<string, string | number> {
  const { level } = durability;
  return level === 'interval' ? { level, interval_seconds: durability.intervalMs / 1000 } : { level };
}

function renderCursors(cursors: readonly CursorStatus[]): string[] {
  const samples = (figureOf: (cursor: CursorStatus) => number | undefined) =>
    cursors.flatMap((status) => {
      const value = figureOf(status);
      return value === undefined ? [] : [{ labels: { cursor: status.name }, value }];
    });
  return [
    ...gauges({
      name: 'stowage_cursor_lag_changes',
      help: 'Changes that a consumer has not acknowledged.',
      samples: samples(({ changes }) => changes),
    }),
    ...gauges({
      name: 'stowage_cursor_lag_bytes',
      help: 'Bytes of journal that hold them.',
      samples: samples(({ bytes }) => bytes),
    }),
    ...gauges({
      name: 'stowage_cursor_oldest_change_timestamp_seconds',
      help: 'When the oldest of them was committed, since 1970; none while there is none. Its age: time() minus it.',
      samples: samples(({ oldestAtMs }) => (oldestAtMs === undefined ? undefined : oldestAtMs / 1000)),
    }),
    ...gauges({
      name: 'stowage_cursor_open',
      help: '1 while a consumer has the cursor open.',
      samples: samples(({ open }) => (open ? 1 : 0)),
    }),
  ];
}

function renderCompaction(compaction: CompactionHealth): string[] {
  const { segments, journalBytes, liveBytes, keptSegments, removedSegments, removedBytes, writtenBytes } = compaction;
  return [
    ...gauge('stowage_journal_segments', 'Segments of the journal, when compaction last looked.', segments),
    ...gauge('stowage_journal_bytes', 'Bytes of these segments.', journalBytes),
    ...gauge('stowage_journal_live_bytes', 'Bytes of records in them that hold a current object.', liveBytes),
    ...gauge(
      'stowage_journal_damaged_segments',
      'Segments that compaction keeps because they are damaged.',
      keptSegments,
    ),
    ...counter('stowage_compaction_removed_segments_total', 'Segments that compaction removed.', removedSegments),
    ...counter('stowage_compaction_removed_bytes_total', 'Bytes of these segments.', removedBytes),
    ...counter('stowage_compaction_written_bytes_total', 'Bytes that compaction wrote again.', writtenBytes),
  ];
}
