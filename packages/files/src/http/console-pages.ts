// Serves the built console: files whose names hold a hash of their content for ever, everything else asked for anew each time,
// and index.html for every address that the page itself routes. With a strict Content-Security-Policy.

import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

export interface ConsolePages {
  /** `undefined` when there is no such page. */
  serve(request: Request): Promise<Response | undefined>;
}

interface ConsolePagesOptions {
  readonly directory: string;
  /** Where the page sends and reads the bytes of files. */
  readonly storageOrigin: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** How a bundler names what it has hashed: `assets/name-h4sh1234.js`. */
const hashedName = /^\/assets\/.+-[A-Za-z0-9_-]{8,}\.\w+$/;

export function openConsolePages({ directory, storageOrigin }: ConsolePagesOptions): ConsolePages {
  const pageHeaders = {
    'content-security-policy': contentSecurityPolicy(storageOrigin),
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  };

  return {
    serve: async (request) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
      const path = pathOf(request);
      if (path === undefined) return undefined;
      const asset = path === '/' ? undefined : await read(directory, path);
      // An address with an ending is a file's: a missing one is missing, not a page.
      const bytes = asset ?? (extname(path) === '' || path === '/' ? await read(directory, '/index.html') : undefined);
      if (bytes === undefined) return undefined;
      const ending = asset === undefined ? '.html' : extname(path);
      const headers = {
        ...pageHeaders,
        'content-type': contentTypes[ending] ?? 'application/octet-stream',
        'cache-control': hashedName.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
      };
      return new Response(request.method === 'HEAD' ? null : new Uint8Array(bytes), { headers });
    },
  };
}

/** The decoded path; `undefined` when it cannot be decoded. */
function pathOf(request: Request): string | undefined {
  try {
    return decodeURIComponent(new URL(request.url).pathname);
  } catch {
    // A malformed escape names no file of ours.
    return undefined;
  }
}

/** `undefined` when the file is not there or lies outside of the directory, links followed. */
async function read(directory: string, path: string): Promise<Buffer | undefined> {
  if (path.includes('\0')) return undefined;
  try {
    const root = await realpath(directory);
    const file = await realpath(join(root, path));
    return file.startsWith(`${root}${sep}`) ? await readFile(file) : undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'].includes(String(code))) return undefined;
    throw error;
  }
}

function contentSecurityPolicy(storageOrigin: string): string {
  return [
    `default-src 'self'`,
    `connect-src 'self' ${storageOrigin}`,
    `img-src 'self' blob: data: ${storageOrigin}`,
    `media-src 'self' blob: ${storageOrigin}`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}
