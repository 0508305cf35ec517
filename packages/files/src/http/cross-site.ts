// Cross-site request forgery: a browser sends the session cookie along with requests that other sites start. It also says
// where a request comes from, in Sec-Fetch-Site or Origin; what changes something must come from here or a listed origin.
// Spec: Fetch Metadata Request Headers; RFC 6454. A request with neither header is not a browser's.

import { FilesError } from '../files-error.ts';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Throws `cross-site`. `allowedOrigins` are trusted like our own. */
export function refuseCrossSite(request: Request, allowedOrigins: ReadonlySet<string>): void {
  if (safeMethods.has(request.method)) return;
  const origin = request.headers.get('origin');
  if (origin !== null && allowedOrigins.has(origin)) return;
  const site = request.headers.get('sec-fetch-site');
  if (site !== null) {
    if (site === 'same-origin' || site === 'none') return;
    throw crossSite(origin ?? site);
  }
  if (origin === null || hostOf(origin) === request.headers.get('host')) return;
  throw crossSite(origin);
}

/** Empty for `null`, which sandboxed pages send. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}

function crossSite(origin: string): FilesError {
  return new FilesError('cross-site', {
    detail: `The request came from ${origin}, which may not act for a signed-in user here. Use an API key, or allow the origin.`,
  });
}
