// What the store's health says, as Prometheus reads it: durability by bucket, how far consumers of changes are behind, how
// the journal gives room back, and what is damaged.

import type {
  BucketDurability,
  CompactionHealth,
  CursorStatus,
  Durability,
  ScrubHealth,
  StoreDamage,
  StoreHealth,
} from '@stowage/store';
import { counter, gauge, gauges } from './prometheus-text.ts';

export function renderStoreMetrics(health: StoreHealth): string[] {
  return [
    ...gauge(
      'stowage_store_writable',
      '1 while the store takes writes, 0 when it is read-only.',
      health.status === 'ok' ? 1 : 0,
    ),
    ...gauge('stowage_store_disk_full', '1 while puts are refused because the disk is full.', health.diskFull ? 1 : 0),
    ...gauge(
      'stowage_oldest_reader_seconds',
      'How long bytes that are to be removed have waited for those who still read.',
      (health.oldestReaderMs ?? 0) / 1000,
    ),
    ...renderDurability(health.durability, health.bucketDurabilities ?? []),
    ...renderCursors(health.cursors ?? []),
    ...(health.compaction === undefined ? [] : renderCompaction(health.compaction)),
    ...renderDamage(health.damage ?? [], health.damageCount ?? 0),
    ...(health.scrub === undefined ? [] : renderScrub(health.scrub)),
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
    ...gauge(
      'stowage_journal_live_bytes',
      'Bytes of records in them that are still needed, as far as is known.',
      liveBytes,
    ),
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

/** Objects that are named; the health of the store lists more. */
const maxNamedObjects = 100;

function renderDamage(damage: readonly StoreDamage[], count: number): string[] {
  const objects = new Map<string, { readonly bucket: string; readonly key: string }>();
  for (const { bucket, key } of damage.flatMap((place) => place.objects ?? [])) {
    if (objects.size < maxNamedObjects) objects.set(`${bucket}/${key}`, { bucket, key });
  }
  return [
    ...counter('stowage_damage_total', 'Damaged places found in stored bytes since the store was opened.', count),
    ...gauges({
      name: 'stowage_damaged_object',
      help: 'Objects that damaged places concern.',
      samples: [...objects.values()].map((labels) => ({ labels, value: 1 })),
    }),
  ];
}

function renderScrub(scrub: ScrubHealth): string[] {
  const { bytesPerSecond, running, checkedBytes, passesCompleted, lastCompletedAtMs } = scrub;
  return [
    ...gauge('stowage_scrub_running', '1 while a pass over all stored bytes is under way.', running ? 1 : 0),
    ...gauge('stowage_scrub_limit_bytes_per_second', 'The most that is read each second; 0: off.', bytesPerSecond),
    ...counter('stowage_scrub_checked_bytes_total', 'Bytes held against their checksums.', checkedBytes),
    ...counter('stowage_scrub_passes_total', 'Passes completed.', passesCompleted),
    ...gauges({
      name: 'stowage_scrub_last_completed_timestamp_seconds',
      help: 'When the last pass was completed, since 1970; none before the first.',
      samples: lastCompletedAtMs === undefined ? [] : [{ labels: {}, value: lastCompletedAtMs / 1000 }],
    }),
  ];
}
