// What an answer of the bucket to a PUT means for the sender. Only 2xx is success; a vanished upload never is.

import { ClientError } from './client-error.ts';
import type { TransportAnswer } from './transport.ts';

type BucketVerdict =
  | { readonly kind: 'stored' }
  /** The signature was not accepted: expired, or signed by a clock that ran away. A fresh one may be. */
  | { readonly kind: 'sign-again'; readonly fault: ClientError }
  /** The bucket's idea of the upload differs from ours: ask the service where it stands. */
  | { readonly kind: 'ask-service'; readonly fault: ClientError }
  | { readonly kind: 'failed'; readonly fault: ClientError };

/** S3's own error codes that a later attempt can get past, although their status says otherwise. */
const passing: ReadonlySet<string> = new Set(['RequestTimeout', 'ConditionalRequestConflict', 'OperationAborted']);

export function judgeAnswer({ status, text }: TransportAnswer): BucketVerdict {
  if (status >= 200 && status < 300) return { kind: 'stored' };
  const code = /<Code>([^<]{1,100})<\/Code>/.exec(text)?.[1];
  const said = /<Message>([^<]{1,300})<\/Message>/.exec(text)?.[1];
  if (status >= 500 || status === 429 || status === 408 || (code !== undefined && passing.has(code))) {
    return { kind: 'failed', fault: new ClientError('storage-busy', { status }) };
  }
  const fault = new ClientError('storage-refused', {
    status,
    message: `The storage refused the bytes: ${describeRefusal(status, code, said)}`,
  });
  // 400 ExpiredToken: the signer's own short-lived credentials ran out.
  if (status === 403 || code === 'ExpiredToken') return { kind: 'sign-again', fault };
  // 404: NoSuchUpload. 412: the key was written already, maybe by an attempt of ours whose answer got lost.
  if (status === 404 || status === 412) return { kind: 'ask-service', fault };
  return { kind: 'failed', fault };
}

/** Code and message, where the one does not only say the other once more ("AccessDenied", "Access Denied"). */
function describeRefusal(status: number, code: string | undefined, said: string | undefined): string {
  const letters = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '');
  if (said === undefined) return code === undefined ? `it answered ${status}.` : `${code}.`;
  if (code === undefined || letters(said) === letters(code)) return said.replace(/\.?$/, '.');
  return `${said.replace(/\.$/, '')} (${code}).`;
}
