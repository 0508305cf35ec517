// What a person does in the console, in a real browser, against a service that speaks the contract and misbehaves on
// demand. The way through the real engine and file service is voyage.test.ts.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { FileState } from '@stowage/contract';
import { until } from '../../packages/store/src/testing/until.ts';
import { type FakeService, startFakeService } from '../client/fake-service.ts';
import {
  type ConsoleBrowser,
  type ConsolePage,
  dropFiles,
  skipWithoutBrowser,
  startConsoleBrowser,
  withoutFileHandles,
} from './console-browser.ts';

const mib = 1024 * 1024;

describe('the console', { skip: skipWithoutBrowser }, () => {
  let browser: ConsoleBrowser;
  let service: FakeService;
  let folder: string;
  const opened: ConsolePage[] = [];

  before(async () => {
    browser = await startConsoleBrowser();
    folder = await mkdtemp(join(tmpdir(), 'stowage-console-'));
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    service = await startFakeService({ staticFolder: browser.consoleFolder });
    service.partSizeBytes = mib;
    service.multipartFromBytes = 2 * mib;
  });
  afterEach(async () => {
    const complaints = opened.flatMap((each) => each.complaints);
    for (const { page } of opened.splice(0)) await page.context().close();
    await service.close();
    assert.deepEqual(complaints, [], 'the page has nothing to complain of');
  });

  async function open(path = '/', options: Parameters<ConsoleBrowser['open']>[0] = {}): Promise<ConsolePage['page']> {
    const entry = await browser.open(options);
    opened.push(entry);
    await entry.page.goto(service.origin + path);
    return entry.page;
  }

  async function openEmpty(): Promise<ConsolePage['page']> {
    const page = await open();
    await page.getByText('Nothing stowed yet').waitFor();
    return page;
  }

  function keep(
    name: string,
    { state = 'ready' as FileState, sizeBytes = 1000, minutesAgo = 1, contentType = 'text/plain' } = {},
  ): string {
    const id = `k${service.rows.size}`;
    const createdAt = new Date(Date.now() - minutesAgo * 60_000).toISOString();
    const upload = {
      id,
      fileId: id,
      name,
      folderId: '',
      folder: [],
      sizeBytes,
      contentType,
      state,
      strategy: 'put',
    } as const;
    service.rows.set(id, { upload: { ...upload, createdAt, expiresAt: createdAt }, previews: [], createdAt });
    service.bucket.objects.set(id, Buffer.from(`the bytes of ${name}`));
    return id;
  }

  async function makeFile(name: string, sizeBytes: number): Promise<{ path: string; sha256: string }> {
    const path = join(folder, name);
    const bytes = randomBytes(sizeBytes);
    await writeFile(path, bytes);
    return { path, sha256: sha256(bytes) };
  }

  function storedAs(name: string): string | undefined {
    const row = [...service.rows.values()].find(({ upload }) => upload.name === name);
    const bytes = service.bucket.objects.get(row?.upload.id ?? '');
    return bytes === undefined ? undefined : sha256(bytes);
  }

  it('signs in by the one-time link, and takes the token out of the address', async () => {
    service.signedIn = false;
    const page = await open('/sign-in#token=letmein');
    await page.getByText('Nothing stowed yet').waitFor();
    assert.equal(page.url(), `${service.origin}/`);
  });

  it('says that a used link is used, and takes another one', async () => {
    service.signedIn = false;
    const page = await open('/sign-in?token=spent');
    await page.getByText('used already').waitFor();
    await page.getByText('start it again').waitFor();
    await page.getByText('ask them to invite you again').waitFor();
    assert.equal(page.url(), `${service.origin}/sign-in`);
    await page.getByLabel('Sign-in link').fill('not a link at all');
    await page.getByRole('button', { name: 'Sign in by link' }).click();
    await page.getByText('This is not a sign-in link').waitFor();
    await page.getByLabel('Sign-in link').fill(`${service.origin}/sign-in#token=letmein`);
    await page.getByRole('button', { name: 'Sign in by link' }).click();
    await page.getByText('Nothing stowed yet').waitFor();
  });

  it('uploads what is dropped anywhere, small and large, and lists it when it is ready', async () => {
    const [large, small] = [await makeFile('large.bin', 5 * mib + 11), await makeFile('small näme.txt', 2000)];
    const page = await openEmpty();
    await dropFiles(page, [large.path, small.path]);
    await page.getByRole('heading', { name: '2 files uploaded' }).waitFor();
    await page.getByRole('row', { name: /large\.bin/ }).waitFor();
    await page.getByRole('row', { name: /small näme\.txt/ }).waitFor();
    await page.getByText('2 files were uploaded.').waitFor({ state: 'attached' });
    assert.equal(storedAs('large.bin'), large.sha256);
    assert.equal(storedAs('small näme.txt'), small.sha256);
  });

  it('shows where files would be dropped', async () => {
    const page = await openEmpty();
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(['x'], 'x.txt'));
      return data;
    });
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
    await page.getByText('Drop to upload').waitFor();
    await page.dispatchEvent('body', 'dragleave', { dataTransfer: transfer });
    await page.getByText('Drop to upload').waitFor({ state: 'hidden' });
  });

  it('pauses, goes on, and cancels', async () => {
    const [film, other] = [await makeFile('film.bin', 6 * mib), await makeFile('other.bin', 6 * mib)];
    service.bucket.bytesPerSecond = 1.5 * mib;
    const page = await openEmpty();
    await dropFiles(page, [film.path, other.path]);
    await page.getByRole('button', { name: 'Cancel other.bin' }).click();
    await page.getByRole('button', { name: 'Pause film.bin' }).click();
    await page.getByText(/MB · paused/).waitFor();
    await page.getByRole('heading', { name: '1 upload paused' }).waitFor();
    service.bucket.bytesPerSecond = undefined;
    await page.getByRole('button', { name: 'Resume film.bin' }).click();
    await page.getByRole('heading', { name: '1 file uploaded' }).waitFor();
    assert.equal(storedAs('film.bin'), film.sha256);
    assert.equal(storedAs('other.bin'), undefined);
  });

  it('goes on by itself after the service was killed and started again', async () => {
    const file = await makeFile('through.bin', 8 * mib);
    service.bucket.bytesPerSecond = 2 * mib;
    const page = await openEmpty();
    await dropFiles(page, [file.path]);
    await page.getByText(/MB of/).waitFor();
    await service.restart(1200);
    await page.getByRole('heading', { name: '1 file uploaded' }).waitFor({ timeout: 30_000 });
    assert.equal(storedAs('through.bin'), file.sha256);
  });

  it('goes on by itself after a reload where the browser may read the file again', async () => {
    const file = await makeFile('known.bin', 8 * mib);
    service.bucket.bytesPerSecond = 2 * mib;
    const page = await openEmpty();
    page.on('dialog', (dialog) => void dialog.accept());
    await dropFiles(page, [file.path]);
    while (([...service.bucket.parts.values()][0]?.size ?? 0) < 2) await page.waitForTimeout(50);
    await page.reload();
    service.bucket.bytesPerSecond = undefined;
    await page.getByRole('heading', { name: '1 file uploaded' }).waitFor();
    assert.equal(storedAs('known.bin'), file.sha256);
    assert.equal(service.rows.size, 1);
  });

  it('resumes after a reload with the file chosen again, sending only what is missing', async () => {
    const [file, wrong] = [await makeFile('half.bin', 8 * mib), await makeFile('wrong.bin', 100)];
    service.bucket.bytesPerSecond = 2 * mib;
    const page = await openEmpty();
    page.on('dialog', (dialog) => void dialog.accept());
    await withoutFileHandles(page);
    await dropFiles(page, [file.path]);
    const parts = (): number => [...service.bucket.parts.values()][0]?.size ?? 0;
    while (parts() < 2) await page.waitForTimeout(50);
    await page.reload();
    await page.getByRole('heading', { name: '1 upload can be resumed' }).waitFor();
    service.bucket.bytesPerSecond = undefined;
    // What had left the browser before the reload still arrives.
    while (service.bucket.load.now > 0) await page.waitForTimeout(50);
    const heldBefore = parts();
    const putsBefore = service.bucket.puts.length;
    await chooseFile(page, wrong.path);
    await page.getByText('“half.bin” is needed to go on').first().waitFor();
    await chooseFile(page, file.path);
    await page.getByRole('heading', { name: '1 file uploaded' }).waitFor();
    assert.equal(storedAs('half.bin'), file.sha256);
    assert.equal(service.bucket.puts.length - putsBefore, 8 - heldBefore);
  });

  it('says why a file was refused, and that it cannot be tried again', async () => {
    service.verdict = () => ({ state: 'rejected', reason: 'Its bytes are a program.' });
    const file = await makeFile('cv.pdf', 100);
    const page = await openEmpty();
    await dropFiles(page, [file.path]);
    await page.getByRole('heading', { name: '1 upload failed' }).waitFor();
    await page.getByRole('alert').getByText('Its bytes are a program.').waitFor({ state: 'attached' });
    assert.equal(await page.getByRole('button', { name: 'Try cv.pdf again' }).count(), 0);
    const tray = page.getByRole('region', { name: '1 upload failed' });
    const why = tray.getByText('Its bytes are a program.');
    assert.equal(await why.count(), 1, 'in its row');
    await tray.getByRole('button', { name: 'Fold the uploads' }).click();
    await why.waitFor();
    assert.equal(await why.count(), 1, 'and below the title when no row is shown');
    await page.getByRole('row', { name: /Refused/ }).waitFor();
  });

  it('is usable by keyboard alone: to the list, along it, delete, undo', async () => {
    for (let index = 0; index < 300; index += 1) keep(`file ${index}.txt`, { minutesAgo: index + 1 });
    const page = await open();
    await page.getByRole('row', { name: /file 0\.txt/ }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focusedText(page), 'Skip to the files');
    await page.keyboard.press('Enter');
    for (const name of ['Name', 'Size', 'Added']) {
      await page.keyboard.press('Tab');
      assert.equal(await focusedText(page), name);
    }
    await page.keyboard.press('Tab');
    assert.match(await focusedText(page), /^file 0\.txt/);
    await page.keyboard.press('ArrowDown');
    assert.match(await focusedText(page), /^file 1\.txt/);
    await page.keyboard.press('End');
    await page.waitForFunction(() => /^file 9\d\.txt/.test(document.activeElement?.textContent ?? ''));
    await page.keyboard.press('Home');
    await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('file 0.txt'));
    await page.keyboard.press('ArrowDown');

    await page.keyboard.press('Delete');
    await page.getByText('“file 1.txt” was deleted').first().waitFor();
    assert.equal(service.rows.get('k1')?.upload.state, 'trashed');
    await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('file 2.txt'));
    // F6 leads to the notices and back, as Base UI has it; on a notice Enter does what its button does.
    await page.keyboard.press('F6');
    while (!(await focusedText(page)).includes('was deleted') || !(await isFocused(page, '.notice')))
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('“file 1.txt” is back').first().waitFor();
    await page.getByRole('row', { name: /file 1\.txt/ }).waitFor();
    assert.equal(service.rows.get('k1')?.upload.state, 'ready');
  });

  it('loads more as the end comes near', async () => {
    for (let index = 0; index < 250; index += 1) keep(`file ${index}.txt`, { minutesAgo: index + 1 });
    const page = await open();
    const row = page.getByRole('row', { name: /file 0\.txt/ });
    await row.waitFor();
    const shown = await page.getByRole('row').count();
    assert.ok(shown < 60, `${shown} rows exist`);
    while ((await page.getByRole('row', { name: /file 249\.txt/ }).count()) === 0) await page.mouse.wheel(0, 4000);
    assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '251');
  });

  it('finds by name, sorts, and keeps both in the address', async () => {
    keep('alpha.txt', { sizeBytes: 1 });
    keep('beta.txt', { sizeBytes: 3 });
    keep('gamma.csv', { sizeBytes: 2 });
    const page = await open();
    await page.getByRole('row', { name: /gamma/ }).waitFor();
    await page.getByRole('button', { name: 'Size' }).click();
    await page.waitForURL(/sort=-sizeBytes/);
    await page.waitForFunction(() => document.querySelector('[data-index="0"]')?.textContent?.startsWith('beta'));
    assert.equal(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort'), 'descending');
    await page.keyboard.press('/');
    await page.keyboard.type('TXT');
    await page.waitForURL(/name=TXT/);
    await page.getByRole('row', { name: /gamma/ }).waitFor({ state: 'detached' });
    await page.getByLabel('Search files by name').fill('nowhere');
    await page.getByRole('heading', { name: 'No file has “nowhere” in its name' }).waitFor();
    assert.equal(await page.title(), 'Search: nowhere · Stowage');
    await page.getByText(/Folders’ names, tags and what stands in files are not searched here/).waitFor();
    await page.getByRole('button', { name: 'Show all files' }).click();
    await page.getByRole('row', { name: /gamma/ }).waitFor();
    assert.ok(page.url().endsWith('/?sort=-sizeBytes'), page.url());
  });

  it('downloads, and copies a link saying how long it is good for', async () => {
    keep('letter.txt');
    const page = await open('/', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('row', { name: /letter/ }).hover();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download letter.txt' }).click();
    const stream = await (await downloading).createReadStream();
    assert.equal(Buffer.concat(await stream.toArray()).toString(), 'the bytes of letter.txt');
    await page.getByRole('button', { name: /Copy a link to letter/ }).click();
    await page
      .getByText(/can download “letter\.txt” until/)
      .first()
      .waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(await (await fetch(link)).text(), /letter\.txt/);
    await page.getByRole('button', { name: 'End link' }).first().click();
    await page.getByText('It no longer leads to “letter.txt”').first().waitFor();
    assert.equal((await fetch(link)).status, 410);
  });

  it('says who may not share a file, and ends a link that the browser does not copy', async () => {
    keep('letter.txt');
    service.role = 'viewer';
    const page = await open('/', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('row', { name: /letter/ }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'letter.txt' });
    await dialog.getByRole('button', { name: 'Copy link for 1 day' }).click();
    await page.getByText('You may not share this file').first().waitFor();
    service.role = 'owner';
    await page.evaluate(() => {
      navigator.clipboard.write = () => Promise.reject(new DOMException('No.', 'NotAllowedError'));
    });
    await dialog.getByRole('button', { name: 'Copy link for 1 day' }).click();
    await page.getByText('The browser does not let this page copy.').first().waitFor();
    assert.deepEqual(service.calls.slice(-2), ['createShare', 'revokeShare']);
  });

  it('shows what would turn a name round, and says that nothing was scanned', async () => {
    const id = keep('photo\u202egnp.exe.txt');
    const row = service.rows.get(id);
    assert.ok(row);
    row.unscanned = 'no scanner is configured';
    const page = await open();
    await page.getByRole('row', { name: /photo\[U\+202E\]gnp\.exe\.txt/ }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'photo[U+202E]gnp.exe.txt' });
    await dialog.getByText('Not scanned: no scanner is configured').waitFor();
    assert.equal(await page.title(), 'photo[U+202E]gnp.exe.txt · Stowage');
    assert.equal(await page.evaluate(() => document.body.textContent?.includes('\u202e')), false);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.title(), 'All files · Stowage');
  });

  it('has what was set aside checked again by who may judge it', async () => {
    keep('invoice.pdf', { state: 'quarantined' });
    const page = await open();
    await page.getByRole('row', { name: /invoice/ }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'invoice.pdf' });
    await dialog.getByText(/have it checked again, or release it/).waitFor();
    await dialog.getByRole('button', { name: 'Check again' }).click();
    await page.getByText('is being checked again').first().waitFor();
    await dialog.getByRole('button', { name: 'Download' }).waitFor();
  });

  it('opens the menu of a row beside its button on a narrow screen, naming the file', async () => {
    keep('letter.txt');
    const page = await open('/', { viewport: { width: 360, height: 640 } });
    const button = page.getByLabel('More for letter.txt');
    await button.click();
    const menu = page.getByRole('menu');
    await menu.getByText('letter.txt').waitFor();
    const [at, from] = [await menu.boundingBox(), await button.boundingBox()];
    assert.ok(at !== null && from !== null, 'the button stays in view while its menu is open');
    assert.ok(Math.abs(at.x + at.width - (from.x + from.width)) < 12, `menu ${at.x}+${at.width}, button ${from.x}`);
    assert.ok(Math.abs(at.y - (from.y + from.height)) < 12, `menu at ${at.y}, button at ${from.y}`);
  });

  it('goes along the buttons of a row by arrow keys, on a narrow screen over those that are there', async () => {
    keep('letter.txt');
    const page = await open();
    const focused = (): Promise<string | null | undefined> =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.tagName);
    await page.getByRole('row', { name: /letter/ }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(), 'Copy a link to letter.txt, good for one day');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(), 'Download letter.txt');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(), 'TR');
    await page.setViewportSize({ width: 360, height: 640 });
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(), 'More for letter.txt');
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(), 'More for letter.txt');
  });

  it('leaves head and menus of a narrow page free of notices, and names the file in them briefly', async () => {
    keep(`${'x'.repeat(300)}.txt`, { minutesAgo: 1 });
    keep('letter.txt', { minutesAgo: 2 });
    const page = await open('/', { viewport: { width: 360, height: 640 } });
    await page.getByRole('row', { name: /xxx/ }).press('Delete');
    const notice = page.getByRole('dialog').filter({ hasText: /“x{43}…x{12}\.txt” was deleted/ });
    await notice.waitFor();
    await page.getByRole('button', { name: 'Newest first' }).click();
    await page.getByRole('menuitemradio', { name: 'Largest first' }).click();
    await page.waitForURL(/sort=-sizeBytes/);
  });

  it('moves the focus to the next row however a row is deleted, and back to it by undo', async () => {
    for (const [index, name] of ['a.txt', 'b.txt', 'c.txt', 'd.txt'].entries()) keep(name, { minutesAgo: index + 1 });
    const page = await open();
    await page.getByRole('row', { name: /b\.txt/ }).hover();
    await page.getByRole('button', { name: 'Delete b.txt' }).click();
    await page.getByText('“b.txt” was deleted').first().waitFor();
    await focusedRow(page, 'c.txt');

    await page.getByLabel('More for c.txt').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByText('“c.txt” was deleted').first().waitFor();
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await focusedRow(page, 'd.txt');

    const notice = page.getByRole('dialog').filter({ hasText: '“c.txt” was deleted' });
    await notice.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('“c.txt” is back').first().waitFor();
    await focusedRow(page, 'c.txt');
    await page.keyboard.press('ArrowDown');
    await focusedRow(page, 'd.txt');

    await page.getByLabel('More for a.txt').press('Enter');
    await page.getByRole('menu').press('End');
    await page.keyboard.press('Enter');
    await page.getByText('“a.txt” was deleted').first().waitFor();
    await focusedRow(page, 'c.txt');
  });

  it('keeps the focus on the page when its only file is deleted, and finds it again by undo', async () => {
    keep('alone.txt');
    const page = await open();
    await page.getByRole('row', { name: /alone/ }).hover();
    await page.getByRole('button', { name: 'Delete alone.txt' }).click();
    await page.getByText('Nothing stowed yet').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'MAIN');
    await page.getByRole('button', { name: 'Undo' }).click();
    await focusedRow(page, 'alone.txt');
  });

  it('deletes the file that has the focus after another has come in above it', async () => {
    keep('first.txt', { minutesAgo: 1 });
    keep('second.txt', { minutesAgo: 2 });
    const page = await open();
    await page.getByRole('row', { name: /second/ }).focus();
    await dropFiles(page, [(await makeFile('newest.bin', 100)).path]);
    await page.getByRole('row', { name: /newest/ }).waitFor();
    await focusedRow(page, 'second.txt');
    await page.keyboard.press('Delete');
    await page.getByText('“second.txt” was deleted').first().waitFor();
    await focusedRow(page, 'first.txt');
  });

  it('shows what is known of a file by Enter or a click, and gives the focus back', async () => {
    keep('letter.txt', { minutesAgo: 1 });
    keep('parcel.zip', { minutesAgo: 2, contentType: 'application/zip' });
    const page = await open();
    await page.getByRole('row', { name: /parcel/ }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('application/zip').waitFor();
    // Beyond the delay of a tooltip, which would take the key for itself.
    await page.waitForTimeout(700);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    const parcel = page.getByRole('dialog', { name: 'parcel.zip' });
    await parcel.getByText('application/zip').waitFor();
    assert.equal(await parcel.getByRole('button', { name: 'Open in a new tab' }).count(), 0);
    const downloading = page.waitForEvent('download');
    await parcel.getByRole('button', { name: 'Download' }).click();
    const stream = await (await downloading).createReadStream();
    assert.equal(Buffer.concat(await stream.toArray()).toString(), 'the bytes of parcel.zip');
    await page.keyboard.press('Escape');
    await parcel.waitFor({ state: 'detached' });
    await focusedRow(page, 'parcel.zip');
    await page.getByRole('row', { name: /letter/ }).click();
    const letter = page.getByRole('dialog', { name: 'letter.txt' });
    const opening = page.context().waitForEvent('page');
    await letter.getByRole('button', { name: 'Open in a new tab' }).click();
    const shown = await opening;
    await shown.getByText('the bytes of letter.txt').waitFor();
    await letter.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('“letter.txt” was deleted').first().waitFor();
    await focusedRow(page, 'parcel.zip');
  });

  it('says in the list why a file was refused, and lets it be deleted there', async () => {
    const id = keep('cv.pdf', { state: 'rejected' });
    const row = service.rows.get(id);
    assert.ok(row);
    service.rows.set(id, { ...row, upload: { ...row.upload, reason: 'Its bytes are a program.' } });
    keep('letter.txt', { minutesAgo: 5 });
    const page = await open();
    const refused = page.getByRole('row', { name: /cv\.pdf/ });
    await refused.getByText('Its bytes are a program.').waitFor();
    await refused.hover();
    await page.getByRole('button', { name: 'Details of cv.pdf' }).click();
    const dialog = page.getByRole('dialog', { name: 'cv.pdf' });
    await dialog.getByText('Nobody can download it.').waitFor();
    assert.equal(await dialog.getByRole('button', { name: 'Download' }).count(), 0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Delete cv.pdf' }).click();
    await page.getByText('“cv.pdf” was deleted').first().waitFor();
    await focusedRow(page, 'letter.txt');
  });

  it('says what is wrong when the list cannot be had, and tries again', async () => {
    keep('letter.txt');
    service.fault = (route) => (route === 'listFiles' ? 400 : undefined);
    const page = await open();
    await page.getByText('Your files could not be listed').waitFor();
    service.fault = () => undefined;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('row', { name: /letter/ }).waitFor();
  });

  it('goes on asking for the list when every retry has failed, as it says', async () => {
    keep('letter.txt');
    const page = await open();
    await page.getByRole('row', { name: /letter/ }).waitFor();
    service.fault = (route) => (route === 'listFiles' ? 503 : undefined);
    await dropFiles(page, [(await makeFile('newest.bin', 100)).path]);
    await page.getByText('Stowage does not answer; trying again.').waitFor();
    // The first attempt, three retries, and one that only the interval makes.
    const asked = (): number => service.calls.filter((route) => route === 'listFiles').length;
    const before = asked();
    await until(() => asked() >= before + 4, 'that the list is asked for again');
    service.fault = () => undefined;
    await page.getByText('Stowage does not answer').waitFor({ state: 'detached', timeout: 30_000 });
    await page.getByRole('row', { name: /newest/ }).waitFor();
  });

  it('says that it is offline', async () => {
    const page = await openEmpty();
    await page.context().setOffline(true);
    await page.getByText('You are offline.').waitFor();
    await page.context().setOffline(false);
    await page.getByText('You are offline.').waitFor({ state: 'detached' });
  });

  it('fits a narrow screen, and follows the system into the dark or goes its own way', async () => {
    keep('A name that is much longer than the screen of a small telephone is wide, by far.txt');
    const page = await open('/', { viewport: { width: 360, height: 640 }, colorScheme: 'dark' });
    await page.getByRole('row', { name: /much longer/ }).waitFor();
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await dropFiles(page, [(await makeFile(`${'another-very-long-name-'.repeat(9)}.bin`, 100)).path]);
    const done = page.getByRole('region', { name: '1 file uploaded' });
    await done.waitFor();
    const [tray, name, mark] = await Promise.all([
      done.boundingBox(),
      done.locator('.upload-row-name').boundingBox(),
      done.locator('.upload-row-done').boundingBox(),
    ]);
    assert.ok(tray !== null && name !== null && mark !== null);
    assert.ok(name.x + name.width <= mark.x + 1, 'the name ends before what stands beside it');
    assert.ok(mark.x + mark.width <= tray.x + tray.width, 'which is in view');
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await ground();
    await page.getByRole('button', { name: 'Use light colours' }).click();
    assert.notEqual(await ground(), dark);
    await page.reload();
    await page.getByRole('button', { name: 'Use dark colours' }).waitFor();
    assert.notEqual(await ground(), dark, 'the choice outlives a reload');
    await page.getByRole('button', { name: 'Use dark colours' }).click();
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'Use dark colours' }).waitFor();
    assert.notEqual(await ground(), dark, 'who follows the system follows it while the page is open');
    await page.goto(`${service.origin}/?name=${'long'.repeat(60)}`);
    await page.getByRole('heading', { name: /^No file has “longlong/ }).waitFor();
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  });
});

async function chooseFile(page: ConsolePage['page'], path: string): Promise<void> {
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose file', exact: true }).click();
  await (await choosing).setFiles(path);
}

/** Waits until the row of this file has the focus. */
async function focusedRow(page: ConsolePage['page'], name: string): Promise<void> {
  await page.waitForFunction(
    (start) => document.activeElement?.matches('[data-index]') && document.activeElement.textContent?.startsWith(start),
    name,
    { timeout: 5000 },
  );
}

function isFocused(page: ConsolePage['page'], selector: string): Promise<boolean> {
  return page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector);
}

function focusedText(page: ConsolePage['page']): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? '');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
