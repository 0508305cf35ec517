// Which CORS rule a request falls under, and the headers that say so. Source: "Using cross-origin resource sharing" of the S3
// user guide; the Fetch standard, section 3.2. The first rule that matches origin, method and all requested headers counts.

import type { CorsRule } from './documents/cors-configuration.ts';

/** What a browser says of a request to another origin. */
export interface CorsRequest {
  /** The Origin header. */
  readonly origin: string;
  /** Access-Control-Request-Method of a preflight, else the request's own method. */
  readonly method: string;
  /** The names in Access-Control-Request-Headers; none for a request that is no preflight. */
  readonly requestHeaders: readonly string[];
}

/** The rule that allows it; `undefined` when none does. */
export function matchCors(rules: readonly CorsRule[], request: CorsRequest): CorsRule | undefined {
  return rules.find((rule) => {
    const methods: readonly string[] = rule.allowedMethods;
    return (
      methods.includes(request.method) &&
      rule.allowedOrigins.some((pattern) => matchesPattern(pattern, request.origin)) &&
      request.requestHeaders.every((header) =>
        rule.allowedHeaders.some((pattern) => matchesPattern(pattern.toLowerCase(), header.toLowerCase())),
      )
    );
  });
}

/** The names that Access-Control-Request-Headers lists. */
export function parseRequestHeaderNames(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * The headers of the answer, names and values in turn. A rule for `*` answers `*`; any other answers the origin itself and
 * lets the browser send credentials. Vary keeps shared caches from mixing answers to different origins.
 */
export function corsHeaders(rule: CorsRule, request: CorsRequest): string[] {
  const isPublic = rule.allowedOrigins.includes('*');
  const headers = [
    'access-control-allow-origin',
    isPublic ? '*' : request.origin,
    'access-control-allow-methods',
    rule.allowedMethods.join(', '),
  ];
  if (!isPublic) headers.push('access-control-allow-credentials', 'true');
  if (request.requestHeaders.length > 0) {
    headers.push('access-control-allow-headers', request.requestHeaders.join(', ').toLowerCase());
  }
  if (rule.exposeHeaders.length > 0) headers.push('access-control-expose-headers', rule.exposeHeaders.join(', '));
  if (rule.maxAgeSeconds !== undefined) headers.push('access-control-max-age', String(rule.maxAgeSeconds));
  headers.push('vary', 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method');
  return headers;
}

/** `*` stands for any characters, none included; a pattern has at most one. */
function matchesPattern(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern === text;
  const head = pattern.slice(0, star);
  const tail = pattern.slice(star + 1);
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}
