// The first voyage, with nothing faked: `stowage start` as a process of its own, a real browser, files of the disk. From a
// file in a user's hand to bytes on the disk and back, through reloads and through kill -9.
//   STOWAGE_TEST_VOYAGE_MIB=300 npm test -- voyage     the size of the issue; less by default, to be quick

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, afterEach, before, describe, it } from 'node:test';
import type { CDPSession, Page } from 'playwright-core';
import sharp from 'sharp';
import { freePort } from '../../scripts/serving/free-port.ts';
import { type ServerProcess, startServer } from '../../scripts/serving/start-server.ts';
import {
  type ConsoleBrowser,
  type ConsolePage,
  dropFiles,
  skipWithoutBrowser,
  startConsoleBrowser,
  withoutFileHandles,
} from './console-browser.ts';

const mib = 1024 * 1024;
const voyageMib = Number(process.env.STOWAGE_TEST_VOYAGE_MIB ?? 48);
const patienceMs = 60_000 + voyageMib * 500;

describe('the first voyage', { skip: skipWithoutBrowser, timeout: patienceMs * 4 }, () => {
  let folder = '';
  let browser: ConsoleBrowser;
  let server: ServerProcess;
  let startArguments: readonly string[] = [];
  let opened: ConsolePage | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-voyage-'));
    browser = await startConsoleBrowser();
    // Fixed ports: after kill -9 the page finds the service where it was.
    const [port, s3Port] = [await freePort(), await freePort()];
    startArguments = ['start', '--port', `${port}`, '--s3-port', `${s3Port}`, '--data', join(folder, 'data')];
    server = await startServer({ args: startArguments });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    const complaints = opened?.complaints ?? [];
    await opened?.page.context().close();
    opened = undefined;
    assert.deepEqual(complaints, [], 'the page has nothing to complain of');
  });

  /** A page that is signed in. The link works once, so the first page's session is handed to the later ones. */
  let session: Awaited<ReturnType<ReturnType<Page['context']>['storageState']>> | undefined;
  async function open(): Promise<Page> {
    opened = await browser.open(session === undefined ? {} : { storageState: session });
    const { page } = opened;
    await page.goto(session === undefined ? consoleLink() : new URL('/', consoleLink()).href);
    await page.getByRole('heading', { name: 'All files' }).waitFor();
    session = await page.context().storageState();
    return page;
  }

  function consoleLink(): string {
    return server.summary.get('Console') ?? '';
  }

  it('takes a large file and a photo dropped together, shows the thumbnail, and gives both back unchanged', async (t) => {
    const film = await makeFile(join(folder, 'film.bin'), voyageMib * mib);
    const photo = await makePhoto(join(folder, 'photo.jpg'));
    const page = await open();
    await page.getByText('Nothing stowed yet').waitFor();
    const counted = countBytes(page, new URL(consoleLink()).origin);
    const startedMs = performance.now();
    await dropFiles(page, [film.path, photo.path]);
    await page.getByRole('heading', { name: '2 files uploaded' }).waitFor({ timeout: patienceMs });
    const seconds = (performance.now() - startedMs) / 1000;
    t.diagnostic(`${voyageMib} MiB and a photo of ${photo.sizeBytes} bytes: ready after ${seconds.toFixed(1)} s`);

    const thumbnail = page.getByRole('row', { name: /photo\.jpg/ }).locator('img');
    await thumbnail.waitFor();
    await page.waitForFunction(
      (image) => (image as HTMLImageElement | null)?.naturalWidth === 320,
      await thumbnail.elementHandle(),
    );

    t.diagnostic(`the browser sent ${counted.bytes()} bytes to the file service`);
    assert.ok(counted.bytes() < mib, 'the bytes of the files do not pass through the service');
    const metrics = await (await fetch(new URL('/metrics', consoleLink()))).text();
    const received = Number(/^stowage_files_received_bytes_total (\d+)$/m.exec(metrics)?.[1]);
    assert.ok(received < mib, `the service itself counts ${received} bytes received`);
    t.diagnostic(
      `the process has ${await residentMib(server.pid)} MiB in memory; at its most it had ${await residentMib(server.pid, 'VmHWM')}`,
    );

    assert.equal(await download(page, 'film.bin'), film.sha256);
    assert.equal(await download(page, 'photo.jpg'), photo.sha256);
  });

  it('pauses, goes on after a reload with the file chosen again, and is whole', async () => {
    const file = await makeFile(join(folder, 'reloaded.bin'), 40 * mib);
    const page = await open();
    page.on('dialog', (dialog) => void dialog.accept());
    await withoutFileHandles(page);
    await throttle(page, 8 * mib);
    await dropFiles(page, [file.path]);
    await uploaded(page, 'reloaded.bin', 40);
    await page.getByRole('button', { name: 'Pause reloaded.bin' }).click();
    await page.getByText(/· paused/).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '1 upload can be resumed' }).waitFor();
    await throttle(page, -1);
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Choose file', exact: true }).click();
    await (await choosing).setFiles(file.path);
    await page.getByRole('heading', { name: '1 file uploaded' }).waitFor({ timeout: patienceMs });
    assert.equal(await download(page, 'reloaded.bin'), file.sha256);
  });

  it('outlives kill -9 of the process in the middle: the page goes on by itself, and nothing acknowledged is lost', async (t) => {
    const file = await makeFile(join(folder, 'survivor.bin'), 64 * mib);
    const page = await open();
    await throttle(page, 10 * mib);
    await dropFiles(page, [file.path]);
    await uploaded(page, 'survivor.bin', 30);
    server.child.kill('SIGKILL');
    await server.ended;
    await page.getByText(/trying again/).waitFor();
    server = await startServer({ args: startArguments });
    const startedMs = performance.now();
    await throttle(page, -1);
    await page.getByRole('heading', { name: '1 file uploaded' }).waitFor({ timeout: patienceMs });
    t.diagnostic(`ready ${((performance.now() - startedMs) / 1000).toFixed(1)} s after the new start`);
    assert.equal(await download(page, 'survivor.bin'), file.sha256);
    // What was acknowledged before the kill.
    assert.equal(await download(page, 'reloaded.bin'), await sha256(createReadStream(join(folder, 'reloaded.bin'))));
    assert.equal(await download(page, 'photo.jpg'), await sha256(createReadStream(join(folder, 'photo.jpg'))));
  });

  it('deletes and brings back', async () => {
    const page = await open();
    const row = page.getByRole('row', { name: /photo\.jpg/ });
    await row.focus();
    await page.keyboard.press('Delete');
    await row.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.waitFor();
    assert.equal(await download(page, 'photo.jpg'), await sha256(createReadStream(join(folder, 'photo.jpg'))));
  });

  it('refuses a program that says it is a picture', async () => {
    const path = join(folder, 'holiday.png');
    // The head of a Windows program: "MZ", and where its real header lies.
    const program = Buffer.alloc(4096);
    program.write('MZ', 0, 'latin1');
    program.writeUInt32LE(0x80, 0x3c);
    program.write('PE\0\0', 0x80, 'latin1');
    await pipeline([program], createWriteStream(path));
    const page = await open();
    await dropFiles(page, [path]);
    await page.getByRole('heading', { name: '1 upload failed' }).waitFor({ timeout: patienceMs });
    await page.getByRole('row', { name: /holiday\.png.*Refused/ }).waitFor();
  });
});

interface MadeFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

async function makeFile(path: string, sizeBytes: number): Promise<MadeFile> {
  const hash = createHash('sha256');
  const piece = randomBytes(mib);
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let left = sizeBytes; left > 0; left -= piece.length) {
      // Each part differs, so that one in the place of another is noticed.
      piece.writeUInt32LE(left % 0xffffffff, 0);
      const chunk = Buffer.from(piece.subarray(0, Math.min(left, piece.length)));
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(pieces, createWriteStream(path));
  return { path, sizeBytes, sha256: hash.digest('hex') };
}

/** Twelve megapixels, with enough in them to weigh what a camera's weigh. */
async function makePhoto(path: string): Promise<MadeFile> {
  const noise = { type: 'gaussian', mean: 128, sigma: 24 } as const;
  const { size } = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#4a7a8c', noise } })
    .jpeg({ quality: 85 })
    .toFile(path);
  return { path, sizeBytes: size, sha256: await sha256(createReadStream(path)) };
}

/** Undefined where there is no /proc. */
async function residentMib(pid: number, row: 'VmRSS' | 'VmHWM' = 'VmRSS'): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = new RegExp(`^${row}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return kib === undefined ? undefined : Math.round(Number(kib) / 1024);
}

async function sha256(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(stream, hash);
  return hash.digest('hex');
}

/** Downloads by the row's button, as a user does. Answers the SHA-256 of what came. */
async function download(page: Page, name: string): Promise<string> {
  await page.getByRole('row', { name: new RegExp(name.replace('.', '\\.')) }).hover();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: `Download ${name}` }).click();
  return sha256(await (await downloading).createReadStream());
}

/** Waits until at least this share of a file has left. */
async function uploaded(page: Page, name: string, percent: number): Promise<void> {
  const bar = page.getByRole('progressbar', { name: `Upload of ${name}` });
  while (Number((await bar.getAttribute('aria-valuenow')) ?? 0) < percent) await page.waitForTimeout(50);
}

/** One per page: the limit set by one session is not lifted by another. */
const sessions = new WeakMap<Page, CDPSession>();

/** Limits what the browser sends; -1 lifts the limit. */
async function throttle(page: Page, uploadBytesPerSecond: number): Promise<void> {
  const session = sessions.get(page) ?? (await page.context().newCDPSession(page));
  sessions.set(page, session);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: uploadBytesPerSecond,
  });
}

/** Everything the page sends to one origin: headers and bodies. */
function countBytes(page: Page, origin: string): { bytes(): number } {
  let total = 0;
  page.on('requestfinished', (request) => {
    if (!request.url().startsWith(`${origin}/`)) return;
    request.sizes().then(
      ({ requestBodySize, requestHeadersSize }) => {
        total += requestBodySize + requestHeadersSize;
      },
      // The page was closed before the sizes could be asked for.
      () => undefined,
    );
  });
  return { bytes: () => total };
}
