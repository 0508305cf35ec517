// Whether a form writes what its policy says and nothing else, and whether it can be made to write once.

import type { PostPolicyCondition } from '@stowage/s3';
import type { ProbeRequests } from './probe-requests.ts';

const length: PostPolicyCondition = ['content-length-range', 5, 5];

export async function probeForm(requests: ProbeRequests): Promise<boolean> {
  const form = (key: string) => ({
    key,
    fields: { 'Content-Type': 'text/plain', success_action_status: '201' },
    conditions: [length],
  });
  const refuses = async (body: string, change: Readonly<Record<string, string>> = {}): Promise<boolean> => {
    const key = requests.newKey();
    return !(await requests.post(form(key), body, change)).ok && (await requests.bytesOf(key)) === undefined;
  };
  const key = requests.newKey();
  const other = requests.newKey();
  const taken = await requests.post(form(key), 'bytes');
  if (!taken.ok || (await requests.bytesOf(key)) !== 'bytes') return false;
  const refusals = await Promise.all([
    refuses('longer'),
    refuses('less'),
    refuses('bytes', { 'Content-Type': 'text/html' }),
    refuses('bytes', { key: other }),
  ]);
  return refusals.every(Boolean) && (await requests.bytesOf(other)) === undefined;
}

export async function probeFormOnce(requests: ProbeRequests): Promise<boolean> {
  const key = requests.newKey();
  const form = { key, fields: { 'If-None-Match': '*', success_action_status: '201' }, conditions: [length] };
  const first = await requests.post(form, 'first');
  const second = await requests.post(form, 'other');
  return first.ok && !second.ok && (await requests.bytesOf(key)) === 'first';
}
