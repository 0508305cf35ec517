// A real browser on files that can be read in two ways, and on a page of the storage itself: none of it runs, however it is asked for.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/system-programs.ts';
import { listen } from '../servers/listen.ts';
import { pngOf } from './hostile-bytes.ts';
import { ServiceFixture } from './service-fixture.ts';

const text = (words: string): Buffer => Buffer.from(words);
/** What runs writes its mark into every window it can reach. */
const script = 'top.postMessage("it ran", "*"); self.itRan = true;';
const page = text(`<!doctype html><html><body><script>${script}</script></body></html>`);
const gif = Buffer.from('0100800000ffffff00000021f90401000000002c00000000010001000002024401003b', 'hex');

const hostile = [
  { name: 'cat.png', declared: 'image/png', bytes: Buffer.concat([pngOf(2), page]) },
  { name: 'cat.gif', declared: 'image/gif', bytes: Buffer.concat([text('GIF89a/*'), gif, text(`*/=1;${script}`)]) },
  { name: 'page.html', declared: 'text/html', bytes: page },
  { name: 'page.txt', declared: 'text/plain', bytes: page },
  {
    name: 'logo.svg',
    declared: 'image/svg+xml',
    bytes: text(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>${script}</script></svg>`),
  },
] as const;

/** A page of an application, on an origin of its own, that puts a URL wherever a page can put one. */
async function startApplication(t: TestContext): Promise<(url: string) => string> {
  const server = createServer((request, response) => {
    const target = new URL(request.url ?? '', 'http://localhost').searchParams.get('url') ?? '';
    const url = target.replaceAll('&', '&amp;');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><script>addEventListener('message', () => { self.itRan = true; });</script>
      <img src="${url}"><iframe src="${url}"></iframe><object data="${url}"></object><embed src="${url}">
      <script src="${url}"></script>`);
  });
  const origin = await listen(t, server);
  return (url) => `${origin}/?url=${encodeURIComponent(url)}`;
}

async function ranIn(opened: Page): Promise<boolean> {
  // A name that only what runs has given to the window.
  return opened.evaluate(() => (globalThis as { readonly itRan?: boolean }).itRan === true);
}

test('nothing that was uploaded runs in a browser', { timeout: 60_000 }, async (t) => {
  const program = await findChromium();
  if (!program.found) return t.skip(program.reason);
  const files = await ServiceFixture.open(t);
  const application = await startApplication(t);
  const browser: Browser = await chromium.launch({
    executablePath: program.path,
    args: [...program.args, '--headless=new', '--disable-gpu', '--no-first-run'],
  });
  t.after(() => browser.close());
  const opened = await browser.newPage();
  for (const { name, declared, bytes } of hostile) {
    const { id, state } = await files.upload(name, declared, bytes);
    assert.equal(state, 'ready', name);
    const url = await files.contentUrl(id, { disposition: 'inline' });
    await opened.goto(application(url), { waitUntil: 'load' });
    // What is run by a frame says so in a task of its own.
    await opened.waitForTimeout(100);
    assert.equal(await ranIn(opened), false, `${name} in a page`);
    await opened.goto('about:blank');
    // A download ends the navigation with an error; text is shown.
    const answer = await opened.goto(url).catch(() => undefined);
    assert.equal(answer !== undefined, declared === 'text/plain', `${name} by itself`);
    assert.equal(await ranIn(opened), false, `${name} by itself`);
    if (answer !== undefined) assert.equal(await opened.evaluate('document.contentType'), 'text/plain');
  }
});
