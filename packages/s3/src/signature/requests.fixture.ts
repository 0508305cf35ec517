// What the signature tests share: AWS's published example credentials, and a request as a server would see a URL.

import type { SignedRequest, SigningCredentials } from './signed-request.ts';

/** The credentials of AWS's published examples. They open nothing. */
export const exampleCredentials: SigningCredentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

/** The moment of AWS's published examples. */
export const exampleNowMs: number = Date.UTC(2013, 4, 24);

/** What a server sees of a request for `url`. The URL is taken apart by hand: `new URL` would tidy up the path. */
export function requestOf(method: string, url: string, headers: Readonly<Record<string, string>> = {}): SignedRequest {
  const match = /^https?:\/\/([^/?]+)(\/[^?]*)(?:\?(.*))?$/s.exec(url);
  const [, host = '', rawPath = '', queryText = ''] = match ?? [];
  const query = queryText
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [decode(name), decode(value.join('='))] as const;
    });
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { method, rawPath, query, headers: { host, ...lower } };
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
