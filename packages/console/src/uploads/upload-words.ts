// How uploads stand, in words.

import type { UploadItem, UploadTotals } from '@stowage/client';
import { shownSize } from '@stowage/contract';
import { count } from '../format/count.ts';
import { formatSpan } from '../format/time.ts';

/** The line below a file's name. */
export function describeItem({ state, progress, error, trouble }: UploadItem): string {
  const { sentBytes, totalBytes } = progress;
  const amount = `${shownSize(sentBytes)} of ${shownSize(totalBytes)}`;
  switch (state) {
    case 'queued':
      return `${shownSize(totalBytes)} · waiting for its turn`;
    case 'starting':
      return trouble === undefined ? 'Starting' : 'Waiting for Stowage to answer';
    case 'sending':
      if (trouble !== undefined) return `${amount} · waiting for the connection`;
      return [amount, ...rateWord(progress)].join(' · ');
    case 'paused':
      return `${amount} · paused`;
    case 'confirming':
      return trouble === undefined ? 'Finishing' : 'Sent, waiting for Stowage to answer';
    case 'checking':
      return 'Stored safely, being checked';
    case 'ready':
      return shownSize(totalBytes);
    case 'failed':
      return error?.message ?? 'Failed';
    case 'cancelled':
      return 'Cancelled';
  }
}

/** At the end of the line with the file's name. */
export function describeTimeLeft({ state, progress, trouble }: UploadItem): string {
  return state === 'sending' && trouble === undefined ? leftWord(progress).join('') : '';
}

/** The tray's title. */
export function describeTotals(totals: UploadTotals, resumable: number): string {
  const { active, paused, ready, failed } = totals;
  if (active > 0) return `Uploading ${count(active, 'file')}`;
  if (failed > 0) return `${count(failed, 'upload')} failed`;
  if (paused > 0) return `${count(paused, 'upload')} paused`;
  if (ready > 0) return `${count(ready, 'file')} uploaded`;
  return `${count(resumable, 'upload')} can be resumed`;
}

/** Below the title: why uploads failed, when it is one reason; each row has its own. */
export function describeFailures(items: readonly UploadItem[]): string {
  const failed = items.filter(({ state }) => state === 'failed');
  const reasons = new Set(failed.map(describeItem));
  const [reason = ''] = reasons;
  if (reasons.size <= 1) return reason;
  return `For ${reasons.size} reasons, which stand below.`;
}

/** Nothing moves: whatever was begun waits for the connection. */
export function isWaiting(items: readonly UploadItem[]): boolean {
  const begun = items.filter(({ state }) => state === 'starting' || state === 'sending' || state === 'confirming');
  return begun.length > 0 && begun.every(({ trouble }) => trouble !== undefined);
}

/** Beside the title: how far all of it is, and how fast it goes unless it waits. */
export function describeOverall(totals: UploadTotals, waits: boolean): string {
  if (totals.active === 0) return '';
  const speed = waits ? ['waiting for the connection'] : [...rateWord(totals), ...leftWord(totals)];
  return [`${percent(totals.sentBytes, totals.totalBytes)}%`, ...speed].join(' · ');
}

export function percent(sentBytes: number, totalBytes: number): number {
  // Rounded down: 100 is said only when it is done.
  return totalBytes === 0 ? 0 : Math.floor((sentBytes / totalBytes) * 100);
}

interface Rate {
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
}

function rateWord({ bytesPerSecond }: Rate): string[] {
  return bytesPerSecond === undefined || bytesPerSecond < 1
    ? []
    : [shownSize(bytesPerSecond, undefined, '-per-second')];
}

function leftWord({ secondsLeft }: Rate): string[] {
  return secondsLeft === undefined || secondsLeft <= 0 ? [] : [`${formatSpan(secondsLeft)} left`];
}
