// Uploads in parts, and copies.

import type { ProbeRequests } from './probe-requests.ts';

interface PartFindings {
  readonly partsEndWithCompletion: boolean;
  readonly completeEtag: boolean;
  readonly listMultipartByPrefix: boolean;
}

export async function probeParts(requests: ProbeRequests): Promise<PartFindings> {
  const key = requests.newKey();
  const uploadId = await requests.beginParts(key);
  if (uploadId === undefined) {
    return { partsEndWithCompletion: false, completeEtag: false, listMultipartByPrefix: false };
  }
  const sendPart = (body: string) =>
    requests.send('PUT', key, {
      query: [
        ['partNumber', '1'],
        ['uploadId', uploadId],
      ],
      body,
    });
  const part = await sendPart('first');
  const listed = await requests.send('GET', '', {
    query: [
      ['uploads', ''],
      ['prefix', key],
    ],
  });
  const joined = await requests.joinPart(key, uploadId, part.headers.get('etag') ?? '');
  const whole = joined.ok && (await requests.bytesOf(key)) === 'first';
  const late = await sendPart('other');
  const again = await requests.joinPart(key, uploadId, late.headers.get('etag') ?? part.headers.get('etag') ?? '');
  const kept = (await requests.bytesOf(key)) === 'first';
  return {
    // Joining twice may be answered as success, as long as it changes nothing.
    partsEndWithCompletion: whole && !late.ok && kept && again.status < 500,
    completeEtag: joined.ok && /<ETag>[^<]+<\/ETag>/.test(joined.text),
    listMultipartByPrefix: listed.ok && listed.text.includes(uploadId),
  };
}

export async function probeConditionalComplete(requests: ProbeRequests): Promise<boolean> {
  const key = requests.newKey();
  if (!(await requests.send('PUT', key, { body: 'first' })).ok) return false;
  const uploadId = await requests.beginParts(key);
  if (uploadId === undefined) return false;
  const query = [
    ['partNumber', '1'],
    ['uploadId', uploadId],
  ] as const;
  const part = await requests.send('PUT', key, { query, body: 'other' });
  const joined = await requests.joinPart(key, uploadId, part.headers.get('etag') ?? '', { 'if-none-match': '*' });
  return joined.status === 412 && (await requests.bytesOf(key)) === 'first';
}

interface CopyFindings {
  readonly copy: boolean;
  readonly copyParts: boolean;
  readonly conditionalCopySource: boolean;
}

export async function probeCopies(requests: ProbeRequests, bucket: string): Promise<CopyFindings> {
  const [from, to, refusedTo, joinedTo] = [requests.newKey(), requests.newKey(), requests.newKey(), requests.newKey()];
  const written = await requests.send('PUT', from, { body: 'source' });
  if (!written.ok) return { copy: false, copyParts: false, conditionalCopySource: false };
  const source = { 'x-amz-copy-source': `/${bucket}/${from}` };
  const right = { ...source, 'x-amz-copy-source-if-match': written.headers.get('etag') ?? '' };
  const wrong = { ...source, 'x-amz-copy-source-if-match': '"00000000000000000000000000000000"' };
  const copied = await requests.send('PUT', to, { headers: right });
  const refused = await requests.send('PUT', refusedTo, { headers: wrong });
  return {
    copy: copied.ok && (await requests.bytesOf(to)) === 'source',
    conditionalCopySource: copied.ok && !refused.ok && (await requests.bytesOf(refusedTo)) === undefined,
    copyParts: await copyOnePart(requests, joinedTo, right),
  };
}

/** The whole source as the only part: Amazon S3 takes no range of a source this small. */
async function copyOnePart(
  requests: ProbeRequests,
  key: string,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const uploadId = await requests.beginParts(key);
  if (uploadId === undefined) return false;
  const part = await requests.send('PUT', key, {
    query: [
      ['partNumber', '1'],
      ['uploadId', uploadId],
    ],
    headers,
  });
  const [, etag] = /<ETag>([^<]+)<\/ETag>/.exec(part.text) ?? [];
  if (!part.ok || etag === undefined) return false;
  const joined = await requests.joinPart(key, uploadId, etag.replaceAll('&quot;', '"'));
  return joined.ok && (await requests.bytesOf(key)) === 'source';
}
