// Whether a key can be written once, whether a signature binds what is sent, and whether checksums are compared.

import { type ChecksumAlgorithm, digestOf } from '@stowage/s3';
import type { Capability } from '../capabilities.ts';
import type { ProbeRequests } from './probe-requests.ts';

const once = { 'if-none-match': '*' } as const;
/** At the same moment, to one key. */
const racers = 4;

export async function probeConditionalPut(requests: ProbeRequests): Promise<boolean> {
  const key = requests.newKey();
  const first = await requests.send('PUT', key, { headers: once, body: 'first' });
  const second = await requests.send('PUT', key, { headers: once, body: 'other' });
  return first.ok && second.status === 412 && (await requests.bytesOf(key)) === 'first';
}

export async function probeRace(requests: ProbeRequests): Promise<boolean> {
  const key = requests.newKey();
  const bodies = Array.from({ length: racers }, (_, number) => `racer ${number}`);
  const answers = await Promise.all(bodies.map((body) => requests.send('PUT', key, { headers: once, body })));
  const winners = bodies.filter((_, number) => answers[number]?.ok === true);
  return winners.length === 1 && (await requests.bytesOf(key)) === winners[0];
}

export async function probeSignedPut(
  requests: ProbeRequests,
): Promise<Readonly<Record<'conditionalPutSigned' | 'signedLength' | 'signedType', boolean>>> {
  const signed = { ...once, 'content-type': 'text/plain', 'content-length': '5' };
  const sent = { ...once, 'content-type': 'text/plain' };
  const put = (key: string, body: string, headers: Readonly<Record<string, string>> = sent) =>
    requests.sendPresigned('PUT', key, { signed, headers, body });
  /** Refused, and nothing was written. */
  const refuses = async (body: string, headers?: Readonly<Record<string, string>>): Promise<boolean> => {
    const key = requests.newKey();
    return !(await put(key, body, headers)).ok && (await requests.bytesOf(key)) === undefined;
  };
  const key = requests.newKey();
  const works = (await put(key, 'first')).ok;
  const [again, longer, shorter, type, without] = await Promise.all([
    put(key, 'other'),
    refuses('longer'),
    refuses('less'),
    refuses('bytes', { ...once, 'content-type': 'text/html' }),
    refuses('bytes', { 'content-type': 'text/plain' }),
  ]);
  const kept = again.status === 412 && (await requests.bytesOf(key)) === 'first';
  return {
    conditionalPutSigned: works && kept && without,
    signedLength: works && longer && shorter,
    signedType: works && type,
  };
}

export async function probeSignedChecksum(requests: ProbeRequests): Promise<boolean> {
  const header = { 'x-amz-checksum-sha256': checksumOf('SHA256', 'right') };
  const request = { signed: header, headers: header };
  const [wrong, right] = [requests.newKey(), requests.newKey()];
  const refused = await requests.sendPresigned('PUT', wrong, { ...request, body: 'wrong' });
  const taken = await requests.sendPresigned('PUT', right, { ...request, body: 'right' });
  return !refused.ok && taken.ok && (await requests.bytesOf(wrong)) === undefined;
}

const checksums = {
  checksumCrc32: 'CRC32',
  checksumCrc64nvme: 'CRC64NVME',
  checksumSha256: 'SHA256',
} as const satisfies Partial<Record<Capability, ChecksumAlgorithm>>;

export async function probeChecksums(
  requests: ProbeRequests,
): Promise<Readonly<Record<keyof typeof checksums, boolean>>> {
  const [checksumCrc32, checksumCrc64nvme, checksumSha256] = await Promise.all([
    probeChecksum(requests, checksums.checksumCrc32),
    probeChecksum(requests, checksums.checksumCrc64nvme),
    probeChecksum(requests, checksums.checksumSha256),
  ]);
  return { checksumCrc32, checksumCrc64nvme, checksumSha256 };
}

async function probeChecksum(requests: ProbeRequests, algorithm: ChecksumAlgorithm): Promise<boolean> {
  const value = checksumOf(algorithm, 'right');
  const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
  const headers = { [name]: value };
  const [wrong, right, parts] = [requests.newKey(), requests.newKey(), requests.newKey()];
  const refused = await requests.send('PUT', wrong, { headers, body: 'wrong' });
  const taken = await requests.send('PUT', right, { headers, body: 'right' });
  if (refused.ok || !taken.ok) return false;
  const head = await requests.send('HEAD', right, { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
  if (head.headers.get(name) !== value) return false;
  const uploadId = await requests.beginParts(parts, { 'x-amz-checksum-algorithm': algorithm });
  if (uploadId === undefined) return false;
  const query = [
    ['partNumber', '1'],
    ['uploadId', uploadId],
  ] as const;
  const wrongPart = await requests.send('PUT', parts, { query, headers, body: 'wrong' });
  const rightPart = await requests.send('PUT', parts, { query, headers, body: 'right' });
  return !wrongPart.ok && rightPart.ok;
}

function checksumOf(algorithm: ChecksumAlgorithm, text: string): string {
  return Buffer.from(digestOf(algorithm, Buffer.from(text))).toString('base64');
}
