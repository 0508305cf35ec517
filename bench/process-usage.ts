// What a process has used, as Linux tells it in /proc; `undefined` elsewhere.

import { readFileSync } from 'node:fs';
import process from 'node:process';

/** USER_HZ, which Linux fixes at 100 on every platform that Node runs on. */
const ticksPerSecond = 100;

/** Processor time of all its threads, user and system. */
export function cpuSeconds(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is a name in parentheses that may hold anything; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most memory it has had resident so far. */
export function peakMemoryBytes(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return match === null ? undefined : Number(match[1]) * 1024;
}
