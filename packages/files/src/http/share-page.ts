// What the page of a share looks like. Plain HTML without scripts; its style is allowed by its hash. Names are escaped by `html`.

import { createHash } from 'node:crypto';
import { shownName } from '@stowage/contract';
import { html, raw } from 'hono/html';

export interface PageFile {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly hasPreview: boolean;
}

/** Headers of every page. `storageOrigin` is where previews come from. */
export function sharePageHeaders(storageOrigin: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    `img-src 'self' ${storageOrigin}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    'x-robots-tag': 'noindex, nofollow',
  };
}

export function renderFiles(view: {
  readonly title: string;
  /** Path of the page, without a slash at the end. */
  readonly base: string;
  readonly files: readonly PageFile[];
  readonly isFolder: boolean;
}): string {
  const { title, base, files, isFolder } = view;
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const count = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${sizeText(total)}`;
  return layout(
    shownName(title),
    html`<h1><bdi>${shownName(title)}</bdi></h1>
      ${isFolder ? html`<p class="muted">${count}</p>` : ''}
      ${files.length === 0 ? html`<p>There is nothing here yet.</p>` : ''}
      <ul class="files">
        ${files.map(
          (file) => html`<li>
            ${file.hasPreview ? html`<img src="${base}/files/${file.id}/preview" alt="" loading="lazy" width="64" height="64" />` : html`<span class="glyph" aria-hidden="true"></span>`}
            <span class="name"><bdi>${shownName(file.name)}</bdi><small>${sizeText(file.sizeBytes)}</small></span>
            <a class="button" href="${base}/files/${file.id}" aria-label="Download ${shownName(file.name)}">Download</a>
          </li>`,
        )}
      </ul>
      ${isFolder && files.length > 1 ? html`<p><a class="button primary" href="${base}/archive">Download all as ZIP</a></p>` : ''}`,
  );
}

export function renderPasswordForm({ base, wrong }: { readonly base: string; readonly wrong: boolean }): string {
  return layout(
    'Password',
    html`<h1>This link has a password</h1>
      <form method="post" action="${base}">
        <label for="password">Password</label>
        <input id="password" name="password" type="password" required autofocus autocomplete="off" ${wrong ? raw('aria-invalid="true" aria-describedby="wrong"') : ''} />
        ${wrong ? html`<p id="wrong" class="error" role="alert">That is not the password. Ask whoever sent you the link.</p>` : ''}
        <button class="button primary" type="submit">Open</button>
      </form>`,
  );
}

export function renderEnded(): string {
  return layout(
    'Link ended',
    html`<h1>This link leads nowhere any more</h1>
      <p>It has expired, was used up or taken back, or what it showed is gone. Ask whoever sent it to you for a new one.</p>`,
  );
}

function layout(title: string, content: ReturnType<typeof html>): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body><main>${content}</main></body>
</html>`);
}

function sizeText(sizeBytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, sizeBytes)) / 3));
  const value = sizeBytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1c1d21, #ececf0); --muted: light-dark(#5d616b, #a3a7b2); --line: light-dark(#dfe1e7, #34363d); --ground: light-dark(#f6f7f9, #17181b); --card: light-dark(#fff, #1f2024); --accent: light-dark(#2457d6, #8fb0ff); --on-accent: light-dark(#fff, #10131c); --error: light-dark(#b3261e, #ffb4ab); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: clamp(1rem, 5vw, 4rem) 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; margin: 0 0 0.5rem; }
.muted, small { color: var(--muted); }
.files { list-style: none; margin: 1.5rem 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.files:empty { display: none; }
.files li { display: flex; align-items: center; gap: 0.75rem; padding: 0.75rem 1rem; }
.files li + li { border-top: 1px solid var(--line); }
.files img, .glyph { width: 3rem; height: 3rem; flex: none; object-fit: cover; border-radius: 8px; background: var(--line); }
.name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.name small { display: block; }
.button { display: inline-block; padding: 0.5rem 0.9rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--ink); font: inherit; text-decoration: none; cursor: pointer; }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form { display: grid; gap: 0.75rem; max-width: 22rem; justify-items: start; }
input { width: 100%; padding: 0.6rem 0.75rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--ink); font: inherit; }
.error { color: var(--error); margin: 0; }
@media (max-width: 30rem) { .files li { flex-wrap: wrap; } .files .button { width: 100%; text-align: center; } }
`;
