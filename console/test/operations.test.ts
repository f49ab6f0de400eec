/** The work of operators besides moving money, exports, and pages without a network, without a mouse and with errors. */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  type Findings,
  forgive,
  launch,
  openContext,
  readDemo,
  type SignedIn,
  signedIn,
  tabTo,
} from './browser.ts';
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
const customer = apiOf('alice');
const accountOf = async (id: string) =>
  (await operator.get('/v1/accounts/{id}', { params: { path: { id } } })).data;

async function pay(amount: number, more: object = {}): Promise<string> {
  const body = { from_account: story.alice, to_account: story.bob, amount, currency: 'EUR', ...more };
  return (await customer.post('/v1/payments', { body })).data.id;
}

it('does not freeze an account that another operator changed meanwhile, and freezes it after a look', async () => {
  // The page sees the account as it was, as a page does that has not loaded the change yet.
  const seen = await accountOf(story.bob);
  const page = await people.pageOf('operator', '/console/accounts');
  await page.route(`**/v1/accounts/${story.bob}`, (route) => route.fulfill({ json: seen }));
  await page.goto(`/console/accounts/${story.bob}`);
  await page.getByRole('button', { name: 'Freeze…', exact: true }).waitFor();
  await operator.patch('/v1/accounts/{id}', {
    params: { path: { id: story.bob }, header: { 'if-match': `"${seen.version}"` } },
    body: { name: 'bob’s other purse' },
  });
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Freeze…', exact: true }).click();
  await dialog.getByRole('button', { name: 'Freeze', exact: true }).click();
  await dialog.getByText('VERSION_MISMATCH').waitFor();
  forgive(findings, /status of 412/);
  expect((await accountOf(story.bob)).status).toBe('ACTIVE');

  await page.unroute(`**/v1/accounts/${story.bob}`);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'bob’s other purse' }).waitFor();
  await page.getByRole('button', { name: 'Freeze…', exact: true }).click();
  await dialog.getByRole('button', { name: 'Freeze', exact: true }).click();
  await page.getByRole('button', { name: 'Unfreeze…' }).click();
  expect((await accountOf(story.bob)).status).toBe('FROZEN');
  await dialog.getByRole('button', { name: 'Unfreeze' }).click();
  await page.getByRole('button', { name: 'Freeze…', exact: true }).waitFor();
  expect((await accountOf(story.bob)).status).toBe('ACTIVE');
});

it('rotates the signing key, and shows when the new one signs', async () => {
  const page = await people.pageOf('operator', '/console/signing-keys');
  await page.getByRole('button', { name: 'Rotate…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a new key' }).click();
  await page.getByText('A new key is published. It signs from').waitFor();
  const keys = page.getByRole('region', { name: 'Public keys' });
  const { data } = await operator.get('/.well-known/jwks.json');
  await expect.poll(() => keys.getByRole('row').count()).toBe(data.keys.length + 1);
  // The old tokens are still accepted.
  await page.getByRole('link', { name: 'Accounts', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor();
});

it('shows a dead letter, sends it back, and the audit log says who did it', async () => {
  const key = `console-${crypto.randomUUID()}`;
  await storeDeadLetter(key);
  const page = await people.pageOf('operator', '/console/dead-letters');
  await page
    .getByRole('row', { name: new RegExp(key.slice(-12)) })
    .getByRole('link')
    .first()
    .click();
  await page.waitForURL('**/dead-letters/dl_*');
  await page.getByRole('heading', { name: 'Headers' }).waitFor();
  await page.getByText('The broker said no.').waitFor();
  const id = decodeURIComponent(page.url().split('/').at(-1) ?? '');
  await page.getByRole('button', { name: 'Send back…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send it back' }).click();
  await page.waitForURL('**/dead-letters');
  const gone = operator.get('/v1/dead-letters/{id}', { params: { path: { id } } });
  await expect(gone).rejects.toMatchObject({ code: 'DEAD_LETTER_NOT_FOUND' });
  const { data: audit } = await operator.get('/v1/audit/dead-letters', { params: { query: { limit: 100 } } });
  expect(audit.data.filter((record) => record.dead_letter_id === id)).toMatchObject([{ redriven: 1 }]);
});

/** In auth's outbox. It has no events, so nothing is published when it is sent back. */
async function storeDeadLetter(key: string): Promise<void> {
  const url = Object.assign(new URL(process.env.TEST_POSTGRES_ADMIN_URL ?? ''), {
    pathname: '/payflowx_auth',
  });
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(
    `insert into outbox_dead_letters (destination, event_count, keys, events, error, created_at)
     values ('identity-notifications', 1, array[$1], '', 'The broker said no.', now())`,
    [key],
  );
  await client.end();
}

it('exports payments as CSV that a spreadsheet does not run', async () => {
  const formula = '=HYPERLINK("http://evil.example","Click, me")';
  const paid = await pay(1_205, { description: formula, reference: '+7' });
  const page = await people.pageOf('operator', `/console/payments?account_id=${story.alice}`);
  await page.getByText('Click, me').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('payments.csv');
  const lines = (await readFile(await download.path(), 'utf8')).split('\r\n');
  expect(lines[0]).toMatch(/^id,created_at,state,kind,from_account,to_account,amount,currency,/);
  const line = lines.find((each) => each.startsWith(paid)) ?? '';
  expect(line).toContain(`,12.05,EUR,12.05,0.00,'+7,"'=HYPERLINK(""http://evil.example"",""Click, me"")",`);
});

it('says that the browser is offline, keeps what it showed, and continues by itself', async () => {
  const page = await people.pageOf('operator', `/console/payments?account_id=${story.alice}`);
  await page.getByText('Rental car').waitFor();
  await page.context().setOffline(true);
  await page.getByText('The browser is offline.').waitFor();
  await page.getByText('Rental car').waitFor();
  await page.context().setOffline(false);
  await page.getByText('The browser is offline.').waitFor({ state: 'detached' });
  await pay(101, { description: 'After the outage' });
  await page.getByText('After the outage').waitFor();
  // Requests that the outage cut are in the browser's own log. A busy machine may refuse one of the many that follow.
  const others = findings.filter((finding) => !/net::ERR_|status of 503/.test(finding));
  findings.splice(0, findings.length, ...others);
});

it('shows the detail, the code and the request of an error, and tries again', async () => {
  const problem = {
    ...{ type: 'about:blank', title: 'Unavailable', status: 503, code: 'UNAVAILABLE' },
    ...{ detail: 'The ledger is having a rest.', request_id: 'req_rest' },
  };
  const page = await people.pageOf('operator', '/console/security');
  await page.route('**/v1/ledger/reconciliations*', (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', json: problem }),
  );
  await page.getByRole('link', { name: 'Reconciliation' }).click();
  const alert = page.getByRole('alert');
  await alert.getByText('The ledger is having a rest.').waitFor();
  expect(await alert.innerText()).toMatch(/UNAVAILABLE[\s\S]*req_rest/);
  await page.unroute('**/v1/ledger/reconciliations*');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await alert.waitFor({ state: 'detached' });
  forgive(findings, /status of 503/);
});

it('a customer signs in and pays by keyboard alone', async () => {
  const context = await openContext(browser, findings);
  const page = await context.newPage();
  const { password = '' } = readDemo().users.find(({ username }) => username === 'alice') ?? {};
  await page.goto('/console/pay');
  await page.getByLabel('Username').waitFor();
  const type = async (label: string, text: string) => {
    await tabTo(page, label);
    await page.keyboard.type(text);
  };
  if (!(await page.getByLabel('Username').evaluate((input) => input === document.activeElement)))
    await tabTo(page, 'Username');
  await page.keyboard.type('alice');
  await type('Password', password);
  await page.keyboard.press('Enter');
  await page.getByLabel('To account').waitFor();
  await tabTo(page, 'From');
  await chooseByKeyboard(page, story.alice);
  await type('To account', story.bob);
  await type('Amount', '1.11');
  await page.keyboard.press('Enter');
  await page.getByText('Approved').waitFor();
  await tabTo(page, /^Pay /);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/payments/pay_*');
  const id = page.url().split('/').at(-1) ?? '';
  const { data } = await operator.get('/v1/payments/{id}', { params: { path: { id } } });
  expect(data).toMatchObject({ state: 'COMPLETED', amount: 111, to_account: story.bob });
  // The focus is on the heading of the new page, so that a screen reader reads it.
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
  await context.close();
});

/** The list of accounts is closed: the arrows change its value, and it has the accounts of earlier runs too. */
async function chooseByKeyboard(page: Page, value: string): Promise<void> {
  const select = page.locator('select:focus');
  const options = await select
    .locator('option')
    .evaluateAll((all) => all.map((option) => (option as HTMLOptionElement).value));
  const from = options.indexOf(await select.inputValue());
  const to = options.indexOf(value);
  for (let step = 0; step < Math.abs(to - from); step += 1)
    await page.keyboard.press(to > from ? 'ArrowDown' : 'ArrowUp');
  expect(await select.inputValue()).toBe(value);
}

it('shows the actions of an account that is not on the first page of the own accounts', async () => {
  const page = await people.pageOf('alice', '/console/security');
  await page.route(/\/v1\/accounts\?(?!.*cursor)/, (route) =>
    route.fulfill({ json: { data: [], next_cursor: 'second' } }),
  );
  await page.route(/\/v1\/accounts\?.*cursor=second/, async (route) => {
    const url = new URL(route.request().url());
    url.searchParams.delete('cursor');
    await route.continue({ url: url.href });
  });
  await page.evaluate((to) => {
    history.pushState({}, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, `/console/payments/${story.held}`);
  await page.getByRole('button', { name: 'Capture…' }).waitFor();
});

it('gets new payments by one stream of events for all tabs', async () => {
  const address = `/console/payments?account_id=${story.alice}`;
  const first = await people.pageOf('operator', '/console/security');
  await first.getByRole('heading', { level: 1 }).waitFor();
  const streams: string[] = [];
  first.context().on('request', (request) => {
    if (request.url().endsWith('/v1/events/stream')) streams.push(request.url());
  });
  await first.goto(address);
  await first.getByText('Rental car').waitFor();
  await expect.poll(() => streams.length).toBe(1);
  const second = await people.pageOf('operator', address);
  await second.getByText('Rental car').waitFor();
  await pay(102, { description: 'Seen at once' });
  for (const page of [first, second]) await page.getByText('Seen at once').waitFor();
  expect(streams).toHaveLength(1);
  // When the first tab is closed, the second one follows the stream.
  await first.close();
  await expect.poll(() => streams.length).toBe(2);
  await pay(103, { description: 'Seen by the other' });
  await second.getByText('Seen by the other').waitFor();
});

it('shows what a shadow rule would have done, at the rule and at the payment', async () => {
  const { data: rule } = await operator.post('/v1/rules', {
    body: {
      name: `shadow-${crypto.randomUUID()}`,
      expression: `payment.description == "Shadowed ${story.alice}"`,
      action: 'shadow',
    },
  });
  const id = await pay(104, { description: `Shadowed ${story.alice}` });
  const page = await people.pageOf('operator', `/console/rules/${rule.id}`);
  const results = page.locator('section.card', { hasText: 'Results in the newest payments' });
  await results.getByText('Would match').waitFor();
  await results.getByRole('link').first().click();
  await page.waitForURL(`**/payments/${id}`);
  const decision = page.locator('section.card', { hasText: 'Decision' });
  await decision.getByRole('link', { name: rule.name }).waitFor();
  await decision.getByText('matched; it changes nothing').waitFor();
  await page.getByRole('heading', { name: 'Mails' }).waitFor();
  await operator.patch('/v1/rules/{id}', {
    params: { path: { id: rule.id }, header: { 'if-match': `"${rule.version}"` } },
    body: { enabled: false },
  });
});

it('shows how far the events are behind, and the last proof', async () => {
  await apiOf('auditor').get('/v1/ledger/proof');
  const page = await people.pageOf('auditor', '/console');
  const stages = page.getByRole('region', { name: 'Stages of the events' });
  await stages.getByText('ledger applies').waitFor();
  await stages.getByText('notification applies').first().waitFor();
  await page.getByText(/No dead letters\.|\d+ dead letters?/).waitFor();
  await page.getByText(/The last proof (holds|is unsettled)/).waitFor();
});
