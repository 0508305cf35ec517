// What processes have used, as Linux tells it in /proc; `undefined` elsewhere.

import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

/** USER_HZ, which Linux fixes at 100 on every platform that Node runs on. */
const ticksPerSecond = 100;

/** Processor time of all their threads, user and system. */
export function cpuSeconds(...pids: readonly number[]): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is a name in parentheses that may hold anything; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Begins to look for the peak anew. Without the right to, the peak is the one since the start. */
export function forgetPeakMemory(...pids: readonly number[]): void {
  if (process.platform !== 'linux') return;
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // Another user's process, or a kernel without it.
    }
  }
}

/** The most memory that each has had resident, added up. */
export function peakMemoryBytes(...pids: readonly number[]): number | undefined {
  return statusBytes(pids, 'VmHWM');
}

export interface ResidentMemory {
  /** All of it. */
  readonly residentBytes: number;
  /** Of it, the process's own; the rest are pages of files, which the system takes back when it wants them. */
  readonly ownBytes: number;
}

export function residentMemory(...pids: readonly number[]): ResidentMemory | undefined {
  const residentBytes = statusBytes(pids, 'VmRSS');
  const ownBytes = statusBytes(pids, 'RssAnon');
  return residentBytes === undefined || ownBytes === undefined ? undefined : { residentBytes, ownBytes };
}

function statusBytes(pids: readonly number[], field: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const pattern = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm');
  return pids.reduce((sum, pid) => {
    const match = pattern.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return sum + Number(match?.[1] ?? 0) * 1024;
  }, 0);
}
