// What the page of a share looks like. Plain HTML without scripts; its style is allowed by its hash. Names are escaped by `html`.
// What it says where something is refused is share-refusal.ts.

import { createHash } from 'node:crypto';
import { briefName, shownName, shownSize } from '@stowage/contract';
import { html, raw } from 'hono/html';

/** Of all that the page says. */
const language = 'en';

export interface PageFile {
  readonly id: string;
  readonly name: string;
  /** Names of the folders it lies in, below the shared one and outermost first. */
  readonly folder: readonly string[];
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly hasPreview: boolean;
}

/** Headers of every page. `storageOrigin` is where previews come from. */
export function sharePageHeaders(storageOrigin: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    // `data:` for the page's own icon.
    `img-src 'self' data: ${storageOrigin}`,
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
  const count = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${shownSize(total, language)}`;
  return layout(
    shownName(title),
    html`<h1><bdi>${shownName(title)}</bdi></h1>
      ${isFolder ? html`<p class="muted">${count}</p>` : ''}
      ${isFolder && files.length > 1 ? html`<p><a class="button primary" href="${base}/archive">Download all as ZIP</a></p>` : ''}
      ${files.length === 0 ? html`<p>There is nothing here yet.</p>` : html`<ul class="files">${files.map((file) => listed(file, base, isFolder))}</ul>`}`,
  );
}

/** In a folder by its name; a file alone has it above, and its button is what the page is for. */
function listed(file: PageFile, base: string, isFolder: boolean): ReturnType<typeof html> {
  const path = file.folder.map(shownName).join(' / ');
  const from = path === '' ? '' : ` from ${path}`;
  return html`<li>
    ${file.hasPreview ? html`<img src="${base}/files/${file.id}/preview" alt="" loading="lazy" width="64" height="64" />` : html`<span class="glyph" aria-hidden="true">${ending(file.name)}</span>`}
    <span class="name">${isFolder ? html`<bdi>${shownName(file.name)}</bdi>` : ''}<small${path === '' ? '' : html` title="${path}"`}>${path === '' ? '' : html`${place(file.folder)} · `}${shownSize(file.sizeBytes, language)}</small></span>
    <a class="button${isFolder ? '' : ' primary'}" href="${base}/files/${file.id}" aria-label="Download ${shownName(file.name)}${from}">Download</a>
  </li>`;
}

/** Folders that are named before and behind those that are left out, and how much of a long name is shown. */
const firstFolders = 1;
const lastFolders = 2;
const shortened = { maxCharacters: 28, endCharacters: 13 } as const;

/** Where a file lies, shortened in the middle. Each name is set apart, so that one written from right to left turns none of its neighbours. */
function place(folder: readonly string[]): ReturnType<typeof html> {
  const left = folder.length <= firstFolders + lastFolders + 1 ? [] : folder.slice(firstFolders, -lastFolders);
  const names = left.length === 0 ? folder : [...folder.slice(0, firstFolders), '…', ...folder.slice(-lastFolders)];
  return html`${names.map((name, index) => html`${index === 0 ? '' : ' / '}<bdi>${briefName(shownName(name), shortened)}</bdi>`)}`;
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

export interface Message {
  readonly title: string;
  readonly text: string;
  /** Where to go on. */
  readonly link?: { readonly href: string; readonly words: string };
}

export function renderMessage({ title, text, link }: Message): string {
  return layout(
    title,
    html`<h1>${title}</h1>
      <p>${text}</p>
      ${link === undefined ? '' : html`<p><a class="button primary" href="${link.href}">${link.words}</a></p>`}`,
  );
}

function layout(title: string, content: ReturnType<typeof html>): string {
  return String(html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${icon}">
<style>${raw(style)}</style>
</head>
<body><main>${content}</main></body>
</html>`);
}

/** The console's (packages/console/public/mark.svg). */
const mark =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b6e6a"/><path d="M8 12.5 16 8l8 4.5-8 4.5z" fill="#fff"/><path d="M8 16.6 16 21l8-4.4M8 20.4l8 4.4 8-4.4" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>';
const icon = `data:image/svg+xml,${encodeURIComponent(mark)}`;

/** What stands for a file without a picture: the ending of its name where that is short and plain. */
function ending(name: string): string {
  return /\.([A-Za-z0-9]{1,4})$/.exec(name)?.[1]?.toUpperCase() ?? '';
}

/** The colours are the console's (packages/console/src/theme/tokens.css). */
const style = `
:root { color-scheme: light dark; --ink: light-dark(oklch(25% 0.015 220), oklch(94% 0.005 200)); --muted: light-dark(oklch(47% 0.018 220), oklch(75% 0.012 210)); --line: light-dark(oklch(91.5% 0.006 200), oklch(31% 0.011 220)); --field: light-dark(oklch(63% 0.014 210), oklch(54% 0.014 220)); --ground: light-dark(oklch(98.4% 0.003 190), oklch(17.5% 0.008 220)); --card: light-dark(#fff, oklch(21.5% 0.009 220)); --accent: light-dark(oklch(48% 0.085 190), oklch(74% 0.105 188)); --on-accent: light-dark(#fff, oklch(20% 0.03 200)); --error: light-dark(oklch(51% 0.175 26), oklch(74% 0.135 24)); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: clamp(1rem, 5vw, 4rem) 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; margin: 0 0 0.5rem; }
.muted, small { color: var(--muted); }
.files { list-style: none; margin: 1.5rem 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.files li { display: flex; align-items: center; gap: 0.75rem; padding: 0.75rem 1rem; }
.files li + li { border-top: 1px solid var(--line); }
.files img, .glyph { width: 3rem; height: 3rem; flex: none; object-fit: cover; border-radius: 8px; background: var(--line); }
.glyph { display: grid; place-items: center; color: var(--muted); font-size: 0.75rem; font-weight: 600; }
.name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.name small { display: block; }
.button { display: inline-block; padding: 0.5rem 0.9rem; border: 1px solid var(--field); border-radius: 8px; background: var(--card); color: var(--ink); font: inherit; text-decoration: none; cursor: pointer; }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form { display: grid; gap: 0.75rem; max-width: 22rem; justify-items: start; }
input { width: 100%; padding: 0.6rem 0.75rem; border: 1px solid var(--field); border-radius: 8px; background: var(--card); color: var(--ink); font: inherit; }
.error { color: var(--error); margin: 0; }
@media (max-width: 30rem) { .files li { flex-wrap: wrap; } .files .button { width: 100%; text-align: center; } }
`;
