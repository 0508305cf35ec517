// Before anything is made of what an endpoint refuses, it must do the plainest thing: take bytes by a URL and give them back by one.
// Otherwise keys, rights, clock or the way to it are at fault, and nothing can be learned of what it can do.

import { FilesError } from '../../files-error.ts';
import type { ProbeRequests } from './probe-requests.ts';
import { errorOf } from './says-nothing.ts';

/** Throws `storage-unavailable`, which says what was answered; its cause has the status, as the AWS SDK's errors have it. */
export async function requireRoundTrip(requests: ProbeRequests): Promise<void> {
  const key = requests.newKey();
  const written = await requests.sendPresigned('PUT', key, { body: 'bytes' });
  if (!written.ok) throw refusal('take bytes by a plain presigned PUT', written);
  const read = await requests.sendPresigned('GET', key, {});
  if (!read.ok || read.text !== 'bytes') throw refusal('give the same bytes back by a plain presigned GET', read);
}

function refusal(what: string, { status, text }: { readonly status: number; readonly text: string }): FilesError {
  const { code, message } = errorOf(text);
  const said = [String(status), code, message.replace(/\.$/, '')].filter((word) => word !== '').join(' ');
  return new FilesError('storage-unavailable', {
    detail: `The object storage did not ${what} (it answered ${said}), so nothing could be learned of it. Check its keys, what they are allowed, and the clocks.`,
    retryAfterSeconds: 5,
    cause: Object.assign(new Error(`The endpoint answered ${said}.`), { $metadata: { httpStatusCode: status } }),
  });
}
