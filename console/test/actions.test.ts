/** Actions with money in the console, and a reload in the middle of one. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Findings, forgive, launch, type SignedIn, signedIn } from './browser.ts';
import { apiOf, playStory, type Story, tidyUp } from './story.ts';

let browser: Browser;
let people: SignedIn;
let story: Story;
const findings: Findings = [];

beforeAll(async () => {
  [browser, story] = await Promise.all([launch(), playStory()]);
  people = signedIn(browser, findings);
});
afterAll(async () => {
  await browser.close();
  await tidyUp(story);
});
afterEach(async () => {
  await people.closePages();
  expect(findings.splice(0)).toEqual([]);
});

const operator = apiOf('operator');
const paymentOf = async (id: string) =>
  (await operator.get('/v1/payments/{id}', { params: { path: { id } } })).data;

it('shows a page only when the decimals of the currencies are known: without them, 28.50 would be asked for as 2850', async () => {
  const page = await people.pageOf('operator', `/console/payments/${story.completed}`);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/v1/currencies', async (route) => {
    await released;
    await route.continue();
  });
  await page.reload();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  // Long enough for the page of the payment, if it did not wait.
  await page.waitForTimeout(1_000);
  expect(await page.getByRole('button', { name: 'Refund…' }).count()).toBe(0);
  release();
  await page.getByRole('button', { name: 'Refund…' }).click();
  const amount = page.getByRole('dialog').getByLabel('Amount to refund');
  expect(await amount.inputValue()).toMatch(/^\d+\.\d\d$/);
  await page.unroute('**/v1/currencies');
});

it('a reload in the middle of a refund sends it again with the same key, and it happens once', async () => {
  const page = await people.pageOf('operator', `/console/payments/${story.completed}`);
  const keys: string[] = [];
  let arrived = () => {};
  const first = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  // The platform gets the first request, but its answer never reaches the page.
  await page.route('**/refunds', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const headers = await route.request().allHeaders();
    keys.push(headers['idempotency-key'] ?? '');
    if (keys.length > 1) return route.continue();
    await route.fetch();
    arrived();
  });
  await page.getByRole('button', { name: 'Refund…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Amount to refund').fill('28.505');
  await dialog.getByRole('button', { name: 'Refund' }).click();
  await dialog.getByText('The currency has 2 decimals.').waitFor();
  await dialog.getByLabel('Amount to refund').fill('28.50');
  await dialog.getByRole('button', { name: 'Refund' }).click();
  await first;
  await page.reload();
  await page.getByText('The refund is done. It was sent again after the reload').waitFor();
  // On a slow machine, the first answers may be that the refund is still in progress: the page then asks again.
  expect(keys.length).toBeGreaterThan(1);
  expect(new Set(keys)).toHaveProperty('size', 1);
  expect(await paymentOf(story.completed)).toMatchObject({
    state: 'PARTIALLY_REFUNDED',
    amount_refunded: 2_850,
  });
});

it('an operator captures a part of a payment, and the page shows its money', async () => {
  const page = await people.pageOf('operator', `/console/payments/${story.held}`);
  await page.getByRole('button', { name: 'Capture…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Amount to capture').fill('24');
  await dialog.getByLabel(/last capture/).uncheck();
  await dialog.getByRole('button', { name: 'Capture' }).click();
  await page.getByText('The capture is done.').waitFor();
  await page.getByText('40.00EUR on hold').waitFor();
  expect(await paymentOf(story.held)).toMatchObject({ state: 'PARTIALLY_CAPTURED', amount_captured: 2_400 });
});

it('a customer sees the decision first, and then pays', async () => {
  const page = await people.pageOf('alice', '/console/pay');
  await page.getByLabel('From').selectOption(story.alice);
  await page.getByLabel('To account').fill(story.bob);
  await page.getByLabel('Amount').fill('99999');
  await page.getByRole('button', { name: 'See the decision' }).click();
  await page.getByText('Declined').waitFor();
  expect(await page.getByRole('button', { name: /^Pay / }).isDisabled()).toBe(true);
  await page.getByLabel('Amount').fill('12.34');
  await page.getByRole('button', { name: 'See the decision' }).click();
  await page.getByText('Approved').waitFor();
  await page.getByRole('button', { name: /^Pay / }).click();
  await page.waitForURL('**/payments/pay_*');
  await page.locator('#content').getByRole('heading', { name: 'Money' }).waitFor();
  const id = page.url().split('/').at(-1) ?? '';
  expect(await paymentOf(id)).toMatchObject({ state: 'COMPLETED', amount: 1_234, to_account: story.bob });
});

it('proves the ledger, and verifies a receipt in the browser', async () => {
  const page = await people.pageOf('auditor', '/console/ledger');
  await page.getByRole('button', { name: 'Prove the ledger' }).click();
  // The platform may have a long journal.
  await page.getByText(/The books (hold|do not hold)/).waitFor({ timeout: 120_000 });
  await page.goto(`/console/payments/${story.completed}`);
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await page.getByText('Verified', { exact: true }).waitFor();
});

it('refuses a receipt that was changed', async () => {
  const { data: receipt } = await operator.get('/v1/ledger/payments/{id}/receipt', {
    params: { path: { id: story.completed } },
  });
  const [first] = receipt.transactions[0]?.transaction.entries ?? [];
  if (first) first.amount += 1;
  const page = await people.pageOf('auditor', '/console/ledger');
  await page.getByLabel('Receipt (JSON)').fill(JSON.stringify(receipt));
  await page.getByLabel('Hash of a head that you trust').fill(receipt.head.head_hash);
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  await page
    .getByRole('alert')
    .getByText(/amount|entries/)
    .waitFor();
});

it('marks the mistake of a rule where the platform reports it', async () => {
  const page = await people.pageOf('operator', '/console/rules/new');
  await page.getByLabel('Name').fill('never-saved');
  await page.getByLabel('Expression (CEL)').fill('payment.kind == "payment" &&\n  payment.amont > 5');
  await page.getByRole('button', { name: 'Save a new version' }).click();
  await page.getByText(/there is no field amont/).waitFor();
  forgive(findings, /status of 400/);
  expect(await page.locator('pre').innerText()).toMatch(/payment\.amont > 5\n +▲/);
});

it('two operators who edit the limits of one account do not overwrite each other', async () => {
  const page = await people.pageOf('operator', `/console/accounts/${story.bob}`);
  await page.getByRole('button', { name: 'Edit…' }).click();
  const { data: account } = await operator.get('/v1/accounts/{id}', { params: { path: { id: story.bob } } });
  await operator.patch('/v1/accounts/{id}', {
    params: { path: { id: story.bob }, header: { 'if-match': `"${account.version}"` } },
    body: { limits: { daily: 70_000 } },
  });
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Each month (EUR)').fill('900');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('VERSION_MISMATCH').waitFor();
  forgive(findings, /status of 412/);
  await dialog.getByRole('button', { name: 'Load their values' }).click();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('dialog input')].some(
      (input) => (input as HTMLInputElement).value === '700.00',
    ),
  );
});

it('finds a payment by its id, and several by their reference', async () => {
  const page = await people.pageOf('operator', '/console');
  const box = page.getByLabel('Search. Shortcut: slash');
  await box.fill(story.completed);
  await box.press('Enter');
  await page.waitForURL(`**/payments/${story.completed}`);
  await box.fill('nothing-has-this-reference');
  await box.press('Enter');
  await page.getByText('Nothing found.').waitFor();
});

it('a payer revokes a mandate, and then no longer sees the button; the payee never sees it', async () => {
  const body = {
    from_account: story.alice,
    to_account: story.bob,
    daily: 5_000,
    reference: crypto.randomUUID(),
  };
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const { data: mandate } = await apiOf('alice').post('/v1/mandates', {
    body: { ...body, valid_until: soon },
  });
  const rowOf = (page: Page) => page.getByRole('row').filter({ hasText: body.reference });
  const payee = await people.pageOf('bob', '/console/mandates?state=active');
  await rowOf(payee).getByText('50.00').waitFor();
  expect(await rowOf(payee).getByRole('button', { name: 'Revoke…' }).count()).toBe(0);

  const page = await people.pageOf('alice', '/console/mandates');
  await rowOf(page).getByRole('button', { name: 'Revoke…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke the mandate' }).click();
  await rowOf(page).getByText('Revoked').waitFor();
  expect(await rowOf(page).getByRole('button', { name: 'Revoke…' }).count()).toBe(0);
  const params = { path: { id: mandate.id } };
  expect((await apiOf('bob').get('/v1/mandates/{id}', { params })).data.state).toBe('revoked');
  await rowOf(page).getByRole('link', { name: 'payments' }).click();
  await page.getByText('No payment fits these filters').waitFor();
});

it('an administrator adds a user without a password, who cannot sign in', async () => {
  const page = await people.pageOf('operator', '/console/users');
  await page.getByRole('button', { name: 'Add a user…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Username').fill(`machine-${crypto.randomUUID()}`);
  await dialog.getByRole('button', { name: 'Add' }).click();
  await page.waitForURL('**/users/usr_*');
  await page.getByText('no: only API clients act for this user').waitFor();
  await page.getByLabel('External id').fill('crm-17');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('definition').filter({ hasText: 'crm-17' }).waitFor();
  const { data: found } = await operator.get('/v1/users', { params: { query: { external_id: 'crm-17' } } });
  expect(found.data[0]).toMatchObject({ has_password: false, external_id: 'crm-17' });
});

it('an administrator adds a user, and a client for it, whose secret is shown once', async () => {
  const username = `added-${crypto.randomUUID()}`;
  const page = await people.pageOf('operator', '/console/users');
  await page.getByRole('button', { name: 'Add a user…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Username').fill(username);
  await dialog.getByLabel('First password').fill(crypto.randomUUID());
  await dialog.getByRole('button', { name: 'Add' }).click();
  await page.waitForURL('**/users/usr_*');
  const userId = page.url().split('/').at(-1) ?? '';
  const { data: user } = await operator.get('/v1/users/{id}', { params: { path: { id: userId } } });
  expect(user).toMatchObject({ username, roles: ['customer'] });

  await page.goto('/console/api-clients');
  await page.getByRole('button', { name: 'Add a client…' }).click();
  await dialog.getByLabel('Name').fill('Shop');
  await dialog.getByLabel('For the user').fill(userId);
  expect(await dialog.getByRole('button', { name: 'Add' }).isDisabled()).toBe(true);
  await dialog.getByLabel('payments:read').check();
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByText('Copy it now: it is not shown again.').waitFor();
  await dialog.getByRole('button', { name: 'I have copied it' }).click();
  await dialog.waitFor({ state: 'hidden' });
  const { data: clients } = await operator.get('/v1/api-clients', {
    params: { query: { user_id: userId } },
  });
  expect(clients.data.map(({ name, scopes }) => ({ name, scopes }))).toEqual([
    { name: 'Shop', scopes: ['payments:read'] },
  ]);
});
