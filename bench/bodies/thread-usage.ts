// Processor time of a process by its threads' names, as Linux tells it in /proc; empty elsewhere.

import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** USER_HZ, which Linux fixes at 100 on every platform that Node runs on. */
const ticksPerSecond = 100;

interface ThreadTime {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

export function threadTimes(pid: number): ReadonlyMap<string, ThreadTime> {
  const times = new Map<string, ThreadTime>();
  if (process.platform !== 'linux') return times;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    // utime and stime, the 14th and 15th field, counted from behind the name.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const before = times.get(name) ?? { userSeconds: 0, systemSeconds: 0 };
    times.set(name, {
      userSeconds: before.userSeconds + Number(fields[11]) / ticksPerSecond,
      systemSeconds: before.systemSeconds + Number(fields[12]) / ticksPerSecond,
    });
  }
  return times;
}

/** What was used between two moments, for each gigabyte: `MainThread 0.80+0.30 …`, user and system. */
export function describeThreads(
  before: ReadonlyMap<string, ThreadTime>,
  after: ReadonlyMap<string, ThreadTime>,
  gigabytes: number,
): string {
  const parts: string[] = [];
  for (const [name, { userSeconds, systemSeconds }] of after) {
    const earlier = before.get(name) ?? { userSeconds: 0, systemSeconds: 0 };
    const user = (userSeconds - earlier.userSeconds) / gigabytes;
    const system = (systemSeconds - earlier.systemSeconds) / gigabytes;
    if (user + system >= 0.02) parts.push(`${name} ${user.toFixed(2)}+${system.toFixed(2)}`);
  }
  return parts.join(', ');
}
