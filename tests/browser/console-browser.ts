// A real browser on the console: started once per test file, a fresh profile per page. Everything the page complains of
// (script errors, broken content policy) is kept, for a test to hold against it.

import { type Browser, type BrowserContextOptions, type CDPSession, chromium, type Page } from 'playwright-core';
import { prepareConsole } from '../../packages/cli/src/console-build.ts';
import { findChromium } from '../../scripts/system-programs.ts';

const quietArguments = [
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const actionTimeoutMs = 15_000;

const program = await findChromium();

/** For `describe`: why there is no browser, or false. */
export const skipWithoutBrowser: string | false = program.found ? false : program.reason;

export interface ConsolePage {
  readonly page: Page;
  /** What went wrong inside the page so far; failed requests that a test provokes are not among it. */
  readonly complaints: readonly string[];
}

export interface ConsoleBrowser {
  /** Folder of the built console. */
  readonly consoleFolder: string;
  open(options?: BrowserContextOptions): Promise<ConsolePage>;
  close(): Promise<void>;
}

export async function startConsoleBrowser(): Promise<ConsoleBrowser> {
  if (!program.found) throw new Error(program.reason);
  const { directory } = await prepareConsole({ onBuilding: () => undefined });
  const browser: Browser = await chromium.launch({
    executablePath: program.path,
    args: [...program.args, ...quietArguments],
  });
  return {
    consoleFolder: directory,
    async open(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
      context.setDefaultTimeout(actionTimeoutMs);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        const isExpected = message.text().startsWith('Failed to load resource');
        if (message.type() === 'error' && !isExpected) complaints.push(message.text());
      });
      return { page, complaints };
    },
    close: () => browser.close(),
  };
}

/** Drops files of the disk onto the page as a user's hand does: through the browser, not through script. */
export async function dropFiles(page: Page, paths: readonly string[]): Promise<void> {
  // What is shown for the first time listens a frame later.
  await page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))),
  );
  const session: CDPSession = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 200, y: 300, data });
  }
  await session.detach();
}

/** As a browser without the File System Access standard: a dropped file cannot be read again after a reload. */
export async function withoutFileHandles(page: Page): Promise<void> {
  await page.evaluate(() => Reflect.deleteProperty(DataTransferItem.prototype, 'getAsFileSystemHandle'));
}
