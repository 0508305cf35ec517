// Reading back: by condition, with signed headers, by version, from a page; and whether a sub-resource is known.

import type { ProbeRequests } from './probe-requests.ts';

interface ReadFindings {
  readonly conditionalRead: boolean;
  readonly downloadHeaders: boolean;
  readonly objectAttributes: boolean;
}

export async function probeReads(requests: ProbeRequests): Promise<ReadFindings> {
  const key = requests.newKey();
  const written = await requests.send('PUT', key, { headers: { 'content-type': 'text/html' }, body: 'bytes' });
  if (!written.ok) return { conditionalRead: false, downloadHeaders: false, objectAttributes: false };
  const etag = written.headers.get('etag') ?? '';
  const [right, wrong, download, attributes] = await Promise.all([
    requests.send('GET', key, { headers: { 'if-match': etag } }),
    requests.send('GET', key, { headers: { 'if-match': '"00000000000000000000000000000000"' } }),
    requests.sendPresigned('GET', key, {
      query: [
        ['response-content-type', 'application/octet-stream'],
        ['response-content-disposition', 'attachment; filename="a.txt"'],
      ],
    }),
    requests.send('GET', key, {
      query: [['attributes', '']],
      headers: { 'x-amz-object-attributes': 'ETag,ObjectSize' },
    }),
  ]);
  return {
    conditionalRead: right.text === 'bytes' && wrong.status === 412,
    downloadHeaders:
      download.text === 'bytes' &&
      download.headers.get('content-type') === 'application/octet-stream' &&
      download.headers.get('content-disposition') === 'attachment; filename="a.txt"',
    // An endpoint that does not know the sub-resource may answer with the object.
    objectAttributes: attributes.ok && /<ObjectSize>5<\/ObjectSize>/.test(attributes.text),
  };
}

export async function probeVersions(requests: ProbeRequests): Promise<boolean> {
  const key = requests.newKey();
  const first = await requests.send('PUT', key, { body: 'first' });
  const versionId = versionOf(first.headers);
  if (!first.ok || versionId === undefined) return false;
  const second = await requests.send('PUT', key, { body: 'other' });
  const head = await requests.send('HEAD', key);
  const pinned = await requests.sendPresigned('GET', key, { query: [['versionId', versionId]] });
  const newest = versionOf(second.headers);
  return pinned.text === 'first' && newest !== versionId && versionOf(head.headers) === newest;
}

/** A bucket whose versioning is suspended calls every version `null`. */
function versionOf(headers: Headers): string | undefined {
  const versionId = headers.get('x-amz-version-id') ?? 'null';
  return versionId === 'null' ? undefined : versionId;
}

/** `false` where the service has no page to answer. */
export async function probeCors(requests: ProbeRequests, origin: string | undefined): Promise<boolean> {
  if (origin === undefined) return false;
  const key = requests.newKey();
  const preflight = (method: string) =>
    requests.ask('OPTIONS', key, {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type,if-none-match',
    });
  const allowed = (headers: Headers): boolean =>
    ['*', origin].includes(headers.get('access-control-allow-origin') ?? '');
  const [put, post, head] = await Promise.all([
    preflight('PUT'),
    preflight('POST'),
    requests.ask('GET', key, { origin }),
  ]);
  const exposed = (head.headers.get('access-control-expose-headers') ?? '').toLowerCase();
  return put.ok && post.ok && allowed(put.headers) && allowed(post.headers) && exposed.includes('etag');
}
