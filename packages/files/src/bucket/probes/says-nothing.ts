// Answers from which nothing can be learned of what an endpoint can do: it cannot answer now, or it refuses who asks and when, and
// not what was asked. Taken for a refusal of what was asked, one such answer would make a good endpoint a useless one.
// Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

/** Of clocks, of keys that have ended or are not known, and of load. */
const codes = new Set([
  'ExpiredToken',
  'InternalError',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TokenRefreshRequired',
  'TooManyRequests',
]);

/** What such an answer said, in words for a log; `undefined` for any other. */
export function saysNothing(status: number, text: string): string | undefined {
  const { code, message } = errorOf(text);
  const said = [String(status), code, message === '' ? '' : `(${message})`].filter((word) => word !== '').join(' ');
  // 501 says for good that it is not built.
  if (status === 408 || status === 429 || (status >= 500 && status !== 501)) return said;
  if (codes.has(code)) return said;
  // A URL or a form whose time has not come, or is over: our clock, or theirs.
  if (code === 'AccessDenied' && /not yet valid|expired/i.test(message)) return said;
  return undefined;
}

/** Code and message of an error document; empty where the body is none. */
export function errorOf(text: string): { readonly code: string; readonly message: string } {
  if (!/<Error[\s>]/.test(text)) return { code: '', message: '' };
  const [, code = ''] = /<Code>([^<]*)<\/Code>/.exec(text) ?? [];
  const [, message = ''] = /<Message>([^<]*)<\/Message>/.exec(text) ?? [];
  return { code, message };
}
