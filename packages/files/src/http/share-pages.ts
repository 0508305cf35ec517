// The public face of shares, below `/s/{token}`: a page for people, the same as JSON for programs, downloads, previews and an
// archive. No script runs on the page. Looking at it counts nothing, and asking for headers alone neither; each download and each
// archive counts once.

import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import { FilesError, isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { Archives } from '../sharing/archives.ts';
import { type Downloads, dispositionHeader } from '../sharing/downloads.ts';
import type { ShareRecord } from '../sharing/share-record.ts';
import type { Shares } from '../sharing/shares.ts';
import type { UsageCounter } from '../usage/usage-counter.ts';
import { openRateLimit } from './rate-limit.ts';
import { type PageFile, renderFiles, renderPasswordForm, sharePageHeaders } from './share-page.ts';
import { renderRefusal } from './share-refusal.ts';

export interface SharePages {
  /** Answers any request below `/s/`. Throws a `FilesError` for what is refused. */
  answer(request: Request): Promise<Response>;
  /** What was thrown, as a page; `undefined` for who asked for JSON, and is told the problem. */
  refuse(request: Request, error: unknown): Response | undefined;
}

interface SharePagesOptions {
  readonly shares: Shares;
  readonly archives: Archives;
  readonly downloads: Downloads;
  readonly limits: FilesLimits;
  readonly secret: Uint8Array;
  readonly clock: () => number;
  readonly storageOrigin: string;
  /** Whether browsers reach the service by https, whatever a request says: a proxy may stand before it. */
  readonly alwaysSecure: boolean;
  readonly usage: Pick<UsageCounter, 'handedOut'>;
}

/** A URL that was counted is good for so long: enough to begin, too short to pass on. */
const downloadLifeMs = 60_000;
const maxFormBytes = 4_096;
const path = /^\/s\/([A-Za-z0-9_-]{1,64})(?:\/(archive|files\/([A-Za-z0-9]{1,64})(\/preview)?))?\/?$/;

export function openSharePages(options: SharePagesOptions): SharePages {
  const { shares, archives, downloads, limits, clock } = options;
  const macKey = createSecretKey(new Uint8Array(hkdfSync('sha256', options.secret, '', 'stowage share passes v1', 32)));
  const perSecond = limits.sharePasswordsPerMinute / 60;
  const tries = openRateLimit({ perSecond, burst: limits.sharePasswordsPerMinute, clock });
  const pageHeaders = sharePageHeaders(options.storageOrigin);

  /** What the cookie holds once the password was right. It dies with the password. */
  function passOf(share: ShareRecord, untilMs: number): string {
    const mac = createHmac('sha256', macKey).update(`${share.id} ${untilMs} ${share.passwordHash}`).digest('base64url');
    return `${untilMs}.${mac}`;
  }

  function isLetIn(share: ShareRecord, request: Request): boolean {
    if (share.passwordHash === null) return true;
    const [, pass = ''] =
      new RegExp(`(?:^|; )${cookieName(share)}=([^;]*)`).exec(request.headers.get('cookie') ?? '') ?? [];
    const untilMs = Number(pass.split('.')[0]);
    if (!(untilMs > clock())) return false;
    const given = Buffer.from(pass);
    const right = Buffer.from(passOf(share, untilMs));
    return given.length === right.length && timingSafeEqual(given, right);
  }

  async function showFiles(share: ShareRecord, request: Request): Promise<Response> {
    const found = await shares.files(share, limits.maxArchiveFiles);
    const files = found.map(
      ({ file, folder }): PageFile => ({
        id: file.lineId,
        name: file.name,
        folder,
        sizeBytes: file.sizeBytes,
        contentType: file.contentType,
        hasPreview: file.previews.length > 0,
      }),
    );
    const { title } = await shares.describe(share);
    if (wantsJson(request))
      return Response.json({ title, kind: share.targetKind, files }, { headers: { 'cache-control': 'no-store' } });
    const base = new URL(request.url).pathname.replace(/\/$/, '');
    return page(renderFiles({ title, base, files, isFolder: share.targetKind === 'folder' }), 200);
  }

  function page(text: string, status: number, headers: Readonly<Record<string, string>> = {}): Response {
    return new Response(text, { status, headers: { ...pageHeaders, ...headers } });
  }

  async function enter(share: ShareRecord, request: Request): Promise<Response> {
    tries.take(share.id);
    const password = await readPassword(request);
    const { pathname } = new URL(request.url);
    try {
      await shares.checkPassword(share, password);
    } catch (error) {
      if (isFilesError(error) && error.code === 'password-wrong' && !wantsJson(request)) {
        return page(renderPasswordForm({ base: pathname, wrong: true }), 403);
      }
      throw error;
    }
    const seconds = Math.floor(limits.sharePasswordLifeMs / 1000);
    const secure = options.alwaysSecure || new URL(request.url).protocol === 'https:' ? '; Secure' : '';
    const pass = passOf(share, clock() + limits.sharePasswordLifeMs);
    const cookie = `${cookieName(share)}=${pass}; Path=${pathname.replace(/\/$/, '')}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
    return new Response(null, {
      status: 303,
      headers: { location: pathname, 'set-cookie': cookie, 'cache-control': 'no-store' },
    });
  }

  async function download(share: ShareRecord, fileId: string, headersOnly: boolean): Promise<Response> {
    const file = await shares.file(share, fileId);
    // Signed first: a link that cannot be made must not use one up.
    const { url } = downloads.link(file, { lifeMs: downloadLifeMs, headersOnly });
    if (headersOnly) return redirect(url);
    await shares.countDownload(share, file.lineId);
    await options.usage.handedOut(share.tenantId, file.sizeBytes);
    return redirect(url);
  }

  async function archive(share: ShareRecord, request: Request, headersOnly: boolean): Promise<Response> {
    const { tenantId, targetId } = share;
    const selection =
      share.targetKind === 'folder'
        ? { tenantId, fileIds: [], folderIds: [targetId] }
        : { tenantId, fileIds: [targetId], folderIds: [] };
    const { title } = await shares.describe(share);
    const headers = {
      'content-type': 'application/zip',
      'content-disposition': dispositionHeader(`${title}.zip`, 'attachment'),
      'cache-control': 'no-store',
    };
    if (headersOnly) {
      await archives.require(selection);
      return new Response(null, { headers });
    }
    // As with a file: what cannot be made uses nothing up, and what the share does not let out is in no books.
    const { sizeBytes, send } = await archives.make({ ...selection, shareId: share.id });
    await shares.countDownload(share, 'archive');
    await options.usage.handedOut(tenantId, sizeBytes);
    return new Response(send(request.signal), { headers });
  }

  return {
    answer: async (request) => {
      const { pathname } = new URL(request.url);
      const [, token, below, fileId, preview] = path.exec(pathname) ?? [];
      if (token === undefined) throw new FilesError('not-found', { detail: 'There is no such page.' });
      const share = await shares.open(token);
      if (request.method === 'POST' && below === undefined) return enter(share, request);
      const headersOnly = request.method === 'HEAD';
      if (request.method !== 'GET' && !headersOnly)
        throw new FilesError('not-found', { detail: `There is no ${request.method} here.` });
      if (!isLetIn(share, request)) {
        if (wantsJson(request) || below !== undefined) {
          throw new FilesError('password-wrong', {
            detail: 'This link has a password. Send it by POST to the link itself.',
          });
        }
        return page(renderPasswordForm({ base: pathname, wrong: false }), 401);
      }
      // A browser that only guesses at the next page must not use a download up.
      if (below !== undefined && /prefetch/.test(request.headers.get('sec-purpose') ?? '')) {
        return new Response(null, { status: 503, headers: { 'cache-control': 'no-store' } });
      }
      if (below === 'archive') return archive(share, request, headersOnly);
      if (fileId === undefined) return showFiles(share, request);
      if (preview === undefined) return download(share, fileId, headersOnly);
      const file = await shares.file(share, fileId);
      return redirect(downloads.previewLink(file, 'thumbnail', { lifeMs: limits.urlLifeMs, headersOnly }).url);
    },

    refuse: (request, error) => {
      if (wantsJson(request)) return undefined;
      const refusal = isFilesError(error) ? error : new FilesError('internal-error');
      const [, token, below] = path.exec(new URL(request.url).pathname) ?? [];
      // Where the link itself is none there is nothing to go back to.
      const isNowhere = token === undefined || (below === undefined && refusal.code === 'not-found');
      const { text, status } = renderRefusal(refusal, isNowhere ? undefined : `/s/${token}`);
      const seconds = refusal.retryAfterSeconds;
      return page(text, status, seconds === undefined ? {} : { 'retry-after': String(seconds) });
    },
  };
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location, 'cache-control': 'no-store' } });
}

function cookieName(share: ShareRecord): string {
  return `stowage_share_${share.id}`;
}

function wantsJson(request: Request): boolean {
  const accept = request.headers.get('accept') ?? '';
  return accept.includes('application/json') && !accept.includes('text/html');
}

async function readPassword(request: Request): Promise<string> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  const text = announced > maxFormBytes ? '' : await readText(request);
  const json = (request.headers.get('content-type') ?? '').startsWith('application/json');
  try {
    const given: unknown = json ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
    if (typeof given === 'object' && given !== null && 'password' in given && typeof given.password === 'string') {
      return given.password;
    }
  } catch {
    // Said below.
  }
  throw new FilesError('invalid-request', {
    detail: `Send the password as a form field or JSON, of at most ${maxFormBytes} bytes.`,
  });
}

async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxFormBytes) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
