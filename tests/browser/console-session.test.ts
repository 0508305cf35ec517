// How people come into the console and back, in a real browser against the fake service: by link, password, one-time code or a
// provider, with the keyboard alone; and how they set a password to come back by.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type FakeService, startFakeService } from '../client/fake-service.ts';
import { type ConsoleBrowser, type ConsolePage, skipWithoutBrowser, startConsoleBrowser } from './console-browser.ts';

const email = 'ada@example.com';
const password = 'correct horse battery';
const token = 'a-token_of_256_random_bits_is_this_long_443';

describe('signing in to the console', { skip: skipWithoutBrowser }, () => {
  let browser: ConsoleBrowser;
  let service: FakeService;
  const opened: ConsolePage[] = [];

  before(async () => {
    browser = await startConsoleBrowser();
  });
  after(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    service = await startFakeService({ staticFolder: browser.consoleFolder });
    service.tokens.add(token);
  });
  afterEach(async () => {
    const complaints = opened.flatMap((each) => each.complaints);
    for (const { page } of opened.splice(0)) await page.context().close();
    await service.close();
    assert.deepEqual(complaints, [], 'the page has nothing to complain of');
  });

  async function open(path = '/'): Promise<Page> {
    const entry = await browser.open();
    opened.push(entry);
    await entry.page.goto(service.origin + path);
    return entry.page;
  }

  async function openSignedOut(path?: string): Promise<Page> {
    service.signedIn = false;
    const page = await open(path);
    await page.getByRole('heading', { name: 'Sign in to Stowage' }).waitFor();
    return page;
  }

  const focusedName = (page: Page): Promise<string | null> =>
    page.evaluate(() => document.activeElement?.getAttribute('name') ?? null);
  /** The fields of the page with what tells a keeper of passwords what they are. */
  const autocompletes = (page: Page): Promise<readonly string[]> =>
    page.evaluate(() =>
      [...document.querySelectorAll('form input[name]')].map(
        (field) => `${field.getAttribute('name')}: ${field.getAttribute('autocomplete')}`,
      ),
    );
  const describedBy = (page: Page): Promise<string> =>
    page.evaluate(() => {
      const ids = document.activeElement?.getAttribute('aria-describedby')?.split(' ') ?? [];
      return ids.map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
    });

  it('is done by e-mail address, password and one-time code, with the keyboard alone', async () => {
    service.person.email = email;
    service.person.password = password;
    service.person.code = '123456';
    const page = await openSignedOut();
    assert.equal(await page.title(), 'Sign in · Stowage');
    assert.deepEqual(await autocompletes(page), [
      'email: username',
      'password: current-password',
      'tenant: organization',
      'link: off',
    ]);
    await page.keyboard.press('Tab');
    assert.equal(await focusedName(page), 'email');
    await page.keyboard.press('Enter');
    assert.match(await describedBy(page), /Type the e-mail address/);
    await page.keyboard.type(email);
    await page.keyboard.press('Enter');
    assert.equal(await focusedName(page), 'password');
    assert.match(await describedBy(page), /Type your password/);
    await page.keyboard.type('not it');
    await page.keyboard.press('Enter');
    await page.getByText('do not belong together').waitFor();
    assert.equal(await focusedName(page), 'password');
    assert.match(await describedBy(page), /sign in by a link/);
    // What was wrong is selected: typing takes its place.
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByText('asks for a one-time code').waitFor();
    assert.equal(await focusedName(page), 'code');
    assert.deepEqual(await autocompletes(page), ['code: one-time-code']);
    await page.keyboard.type('000000');
    await page.keyboard.press('Enter');
    await page.getByText('This code is not right').waitFor();
    assert.equal(await focusedName(page), 'code');
    await page.keyboard.type('123456');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing stowed yet').waitFor();
    assert.equal(await page.title(), 'All files · Stowage');
  });

  it('asks for the code where a link needs one, and lets go of it', async () => {
    service.person.code = '123456';
    const page = await openSignedOut(`/sign-in#token=${token}`);
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByLabel('Sign-in link').fill(token);
    await page.getByLabel('Sign-in link').press('Enter');
    await page.getByLabel('One-time code').fill('123456');
    await page.getByLabel('One-time code').press('Enter');
    await page.getByText('Nothing stowed yet').waitFor();
  });

  it('says of what is no link that it is none, and where links are found', async () => {
    const page = await openSignedOut();
    await page.getByLabel('Sign-in link').fill('hello');
    await page.getByLabel('Sign-in link').press('Enter');
    await page.getByText('This is not a sign-in link').waitFor();
    assert.equal(await focusedName(page), 'link');
    const words = await describedBy(page);
    assert.ok(words.includes(`${service.origin}/sign-in#token=…`), words);
    assert.match(words, /first lines that “npm start” or “stowage serve” shows.*invitation/);
    assert.equal(service.calls.includes('signIn'), false);
    await page.getByLabel('Sign-in link').fill(`${service.origin}/sign-in#token=spent`);
    await page.getByLabel('Sign-in link').press('Enter');
    await page.getByText('used already').waitFor();
    assert.equal(await focusedName(page), 'link');
    assert.match(await describedBy(page), /used already.*start it again/);
  });

  it('offers what the service does: other places, a tenant that was named, no password where there is none', async () => {
    service.ways = { password: true, providers: [{ id: 'acme', name: 'Acme' }] };
    const page = await openSignedOut('/?tenant=acme');
    const provider = page.getByRole('link', { name: 'Sign in with Acme' });
    assert.equal(await provider.getAttribute('href'), '/v1/session/oidc/acme');
    assert.equal(await page.getByLabel('Tenant', { exact: true }).inputValue(), 'acme');
    service.ways = { password: false, providers: [] };
    await page.reload();
    await page.getByLabel('Sign-in link').waitFor();
    assert.equal(await page.getByLabel('Password').count(), 0);
  });

  it('lets people set a password, with the address it needs, and come back by it', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Account: Owner' }).press('Enter');
    await page.getByRole('menuitem', { name: 'Your password' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Your password' });
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'email');
    assert.equal(await page.title(), 'Your password · Stowage');
    assert.deepEqual(await autocompletes(page), ['email: username', 'password: new-password']);
    await page.keyboard.type(email);
    await page.keyboard.press('Tab');
    await page.keyboard.type('short');
    await page.keyboard.press('Enter');
    await dialog.getByText('this one has 5').waitFor();
    assert.equal(await focusedName(page), 'password');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByText('Your password is set').first().waitFor();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Account: Owner');
    assert.deepEqual([service.person.email, service.person.password], [email, password]);

    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Sign out' }).press('Enter');
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('Password').press('Enter');
    await page.getByText('Nothing stowed yet').waitFor();
  });

  it('asks for the present password where one came by it, and says when it is wrong', async () => {
    Object.assign(service.person, { email, password, how: 'password' });
    const page = await open();
    await page.getByRole('button', { name: 'Account: Owner' }).click();
    await page.getByRole('menuitem', { name: 'Your password' }).click();
    const dialog = page.getByRole('dialog', { name: 'Your password' });
    await dialog.getByLabel('Present password').fill('not it');
    await dialog.getByLabel('New password').fill('another long one');
    await dialog.getByLabel('New password').press('Enter');
    await dialog.getByText('not your present password').waitFor();
    assert.equal(await focusedName(page), 'current');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByText('Your password is set').first().waitFor();
    assert.equal(service.person.password, 'another long one');
  });

  it('says that a password does nothing without an address, to who may not give it', async () => {
    service.role = 'viewer';
    const page = await open();
    await page.getByRole('button', { name: 'Account: Owner' }).click();
    await page.getByRole('menuitem', { name: 'Your password' }).click();
    await page.getByText('Ask an owner to give it one').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Your password' }).waitFor({ state: 'detached' });
  });
});
