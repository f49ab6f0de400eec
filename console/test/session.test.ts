/** The session in a real browser: the cookie, renewal, several tabs, and its end. */
import { Secret, TOTP } from 'otpauth';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Findings, forgive, launch, openContext, readDemo, signIn } from './browser.ts';
import { apiOf } from './story.ts';

const COOKIE = 'payflowx_session';

let browser: Browser;
let context: BrowserContext;
const findings: Findings = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
afterEach(async () => {
  await context.close();
  expect(findings.splice(0)).toEqual([]);
});

async function open() {
  context = await openContext(browser, findings);
  return context.newPage();
}

/** Counts the renewals of all tabs. */
function countRenewals(): { count: number } {
  const renewals = { count: 0 };
  context.on('request', (request) => {
    if (request.url().endsWith('/browser-session/refresh')) renewals.count += 1;
  });
  return renewals;
}

it('keeps the refresh token where no script can read it, and sends it only to its own routes', async () => {
  const page = await open();
  await signIn(page, 'alice');
  const cookie = (await context.cookies(`${readDemo().gateway}/v1/auth/browser-session`)).find(
    ({ name }) => name === COOKIE,
  );
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/v1/auth/browser-session' });
  expect(await page.evaluate(() => document.cookie)).toBe('');
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(stored).not.toMatch(/eyJ|token/i);
});

it('continues after a reload, and goes back to the page that was asked for', async () => {
  const page = await open();
  await signIn(page, 'alice', '/console/notifications');
  await page.getByRole('heading', { name: 'Notifications', level: 1 }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Notifications', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Accounts', exact: true }).click();
  await page.getByRole('heading', { name: 'Accounts', level: 1 }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Notifications', level: 1 }).waitFor();
});

it('shows the same error for an unknown user and a wrong password', async () => {
  const page = await open();
  await page.goto('/console');
  await page.getByLabel('Username').fill('alice');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  const alert = page.getByRole('alert');
  await alert.getByText('INVALID_CREDENTIALS').waitFor();
  expect(await alert.innerText()).toMatch(/req_/);
  forgive(findings, /status of 401/);
});

it('renews once for all tabs', async () => {
  const page = await open();
  await signIn(page, 'alice');
  const others = [await context.newPage(), await context.newPage()];
  const renewals = countRenewals();
  await Promise.all(others.map((tab) => tab.goto('/console/accounts')));
  await Promise.all(others.map((tab) => tab.getByRole('heading', { name: 'Accounts', level: 1 }).waitFor()));
  // The first tab has a token, and gives it to the new ones.
  expect(renewals.count).toBe(0);
  await page.close();
  // All tabs lose their token at once: one of them renews it.
  await Promise.all(others.map((tab) => tab.reload()));
  await Promise.all(others.map((tab) => tab.getByRole('heading', { name: 'Accounts', level: 1 }).waitFor()));
  expect(renewals.count).toBeLessThanOrEqual(1);
});

it('is not lost by a reload in the middle of a renewal', async () => {
  const page = await open();
  await signIn(page, 'alice');
  let isLost = false;
  const sent = new Promise<void>((resolve) => {
    // The platform does the renewal, but the answer never reaches the page.
    void page.route('**/browser-session/refresh', async (route) => {
      if (isLost) return route.continue();
      isLost = true;
      await fetch(route.request().url(), {
        method: 'POST',
        headers: await route.request().allHeaders(),
        body: '{}',
      });
      resolve();
      await route.abort();
    });
  });
  await page.reload();
  await sent;
  await page.reload();
  await page.locator('#content').waitFor();
  // The browser reports the answer that was lost on purpose.
  forgive(findings, /ERR_FAILED/);
});

it('signing out ends the session in every tab', async () => {
  const page = await open();
  await signIn(page, 'alice');
  const other = await context.newPage();
  await other.goto('/console/accounts');
  await other.getByRole('heading', { name: 'Accounts', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.reload();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
});

it('a session that was revoked elsewhere signs out by itself', async () => {
  const page = await open();
  await signIn(page, 'bob');
  const other = await openContext(browser, findings);
  const second = await other.newPage();
  await signIn(second, 'bob', '/console/security');
  await second.getByRole('button', { name: 'Sign out everywhere…' }).click();
  await second.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await second.getByRole('heading', { name: 'Sign in' }).waitFor();
  // Every service refuses the access token within seconds; the page loads its accounts again and again.
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByText('Your session has ended').waitFor();
  forgive(findings, /status of 401/);
  await other.close();
});

it('adds an authenticator app, and asks for a second factor at the next login', async () => {
  const username = `console-${crypto.randomUUID().slice(0, 8)}`;
  const password = 'correct horse battery';
  await apiOf('operator').post('/v1/users', { body: { username, password, roles: ['customer'] } });
  const page = await open();
  const logIn = async () => {
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  await page.goto('/console/security');
  await logIn();
  await page.getByRole('button', { name: 'Add an authenticator app' }).click();
  await page.getByRole('img', { name: /QR code/ }).waitFor();
  const secret = await page.getByText(/^[A-Z2-7]{32}$/).innerText();
  await page
    .getByLabel('Code', { exact: true })
    .fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate());
  await page.getByRole('button', { name: 'Confirm', exact: true }).click();
  await page.getByText('Keep these recovery codes').waitFor();
  const [recovery = ''] = (await page.locator('pre').innerText()).split('\n');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await logIn();
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('Recovery code').fill('00000-00000-00000-00000');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Recovery code').fill(recovery);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText(/\d recovery codes are left/).waitFor();
  forgive(findings, /status of 401/);
});

it('adds a passkey, asks for it at the next login, and for a recovery code where there are none', async () => {
  const username = `passkey-${crypto.randomUUID().slice(0, 8)}`;
  const password = 'correct horse battery';
  await apiOf('operator').post('/v1/users', { body: { username, password, roles: ['customer'] } });
  const { gateway } = readDemo();
  // A passkey belongs to a domain. Browsers take no address in its place.
  context = await openContext(browser, findings, { baseURL: gateway.replace('127.0.0.1', 'localhost') });
  const page = await context.newPage();
  const authenticator = await addAuthenticator(page);
  const logIn = async (at = page) => {
    await at.getByLabel('Username').fill(username);
    await at.getByLabel('Password').fill(password);
    await at.getByRole('button', { name: 'Sign in' }).click();
  };
  const signOut = () => page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.goto('/console/security');
  await logIn();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByLabel('Name of the passkey').fill('Test key');
  await page.getByRole('button', { name: 'Create the passkey' }).click();
  await page.getByText('Keep these recovery codes').waitFor();
  const [recovery = ''] = (await page.locator('pre').innerText()).split('\n');
  await page.getByRole('cell', { name: 'Test key' }).waitFor();
  expect(await authenticator.credentials()).toMatchObject([{ rpId: 'localhost', signCount: 1 }]);

  await signOut();
  await logIn();
  await page.getByRole('button', { name: 'Use the passkey' }).click();
  await page.getByRole('cell', { name: 'Test key' }).waitFor();
  expect(await authenticator.credentials()).toMatchObject([{ signCount: 2 }]);

  // The authenticator has it no more, as a lost one.
  await signOut();
  await authenticator.forget();
  await logIn();
  await page.getByRole('button', { name: 'Use the passkey' }).click();
  await page.getByRole('alert').getByText('No passkey was given').waitFor();

  const elsewhere = await openContext(browser, findings);
  const other = await elsewhere.newPage();
  await other.goto('/console/security');
  await logIn(other);
  await other.getByText('Your passkeys do not work on this page').waitFor();
  await other.getByLabel('Recovery code').fill(recovery);
  await other.getByRole('button', { name: 'Continue' }).click();
  await other.getByText(/\d recovery codes are left/).waitFor();
  expect(await other.getByRole('button', { name: 'Add a passkey' }).count()).toBe(0);
  await elsewhere.close();
  forgive(findings, /status of 401/);
});

/** Gives the page an authenticator of Chromium's own, whose person always agrees. */
async function addAuthenticator(page: Page) {
  const session = await context.newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    forget: () => session.send('WebAuthn.clearCredentials', { authenticatorId }),
  };
}

it('refuses a page of another origin, even of the same site', async () => {
  const page = await open();
  await signIn(page, 'alice');
  const { gateway } = readDemo();
  const foreign: Record<string, string>[] = [
    { origin: 'http://127.0.0.1:1' },
    { origin: gateway, 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  ];
  const statuses = await Promise.all(
    foreign.map(async (headers) => {
      const [cookie] = await context.cookies(`${gateway}/v1/auth/browser-session`);
      const answer = await fetch(`${gateway}/v1/auth/browser-session/refresh`, {
        method: 'POST',
        headers: {
          ...headers,
          cookie: `${cookie?.name}=${cookie?.value}`,
          'content-type': 'application/json',
        },
        body: '{}',
      });
      return (await answer.json()).code;
    }),
  );
  expect(statuses).toEqual(['CROSS_SITE_REQUEST', 'CROSS_SITE_REQUEST', 'CROSS_SITE_REQUEST']);
});
