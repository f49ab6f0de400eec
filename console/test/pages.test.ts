/** Every page of every role: it opens, has no findings of axe in light and dark, and fits 360 px. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Findings, launch, openContext, signIn } from './browser.ts';
import { furtherThings, playStory, type Story, tidyUp } from './story.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = fileURLToPath(new URL('../../.local/test/console/', import.meta.url));

let browser: Browser;
let story: Story;
let more: Awaited<ReturnType<typeof furtherThings>>;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  [browser, story] = await Promise.all([launch(), playStory()]);
  more = await furtherThings(story);
});
afterAll(async () => {
  await browser.close();
  await tidyUp(story);
});

/** Path, heading, and the name of its picture. */
type Visit = [path: string, heading: string | RegExp, picture?: string];

const staff = (): Visit[] => [
  ['/', 'Overview', 'overview'],
  ['/payments', 'Payments', 'payments'],
  [`/payments/${story.completed}`, /^Payment \S/, 'payment'],
  [`/payments/${story.declined}`, /^Payment \S/],
  ['/mandates', 'Mandates'],
  ['/accounts', 'Accounts'],
  [`/accounts/${story.alice}`, 'alice’s purse', 'account'],
  ['/accounts/external:EUR', 'external:EUR'],
  ['/ledger', 'Ledger', 'ledger'],
  ['/reconciliations', 'Reconciliation'],
  ['/rules', 'Rules'],
  [`/rules/${story.rule}`, /^large-/, 'rule'],
  ['/audit', 'Audit', 'audit'],
  ['/notifications', 'Notifications'],
  ['/events', 'Events'],
  ['/webhooks', 'Webhooks'],
  ['/dead-letters', 'Dead letters'],
  ['/api-clients', 'API clients'],
  ['/signing-keys', 'Signing keys'],
  ['/security', 'Your sign-in'],
];

const PAGES: Record<string, () => Visit[]> = {
  operator: () => [
    ...staff(),
    [`/ledger/transactions/${more.transaction}`, /^Transaction/],
    [`/reconciliations/${more.reconciliation}`, /^Report/],
    [`/users/${more.user}`, 'alice'],
    ['/payments?state=EXPIRED&reference=none', 'Payments'],
    ['/users', 'Users'],
    ['/rules/new', 'New rule'],
    ['/audit?kind=identities', 'Audit'],
  ],
  // The same pages as an operator's; these have fewer actions.
  auditor: () => staff().filter(([path]) => /^.(payments.|accounts.|rules|ledger|dead)/.test(path)),
  alice: () => [
    ['/', 'Welcome, alice', 'customer'],
    ['/pay', 'Pay'],
    ['/payments', 'Payments'],
    [`/payments/${story.held}`, /^Payment \S/],
    ['/mandates', 'Mandates'],
    ['/accounts', 'Accounts'],
    [`/accounts/${story.alice}`, 'alice’s purse'],
    ['/notifications', 'Notifications'],
    ['/events', 'Events'],
    ['/webhooks', 'Webhooks'],
    [`/webhooks/${story.endpoint}`, 'Webhook endpoint'],
    ['/security', 'Your sign-in'],
  ],
};

it.each(Object.keys(PAGES))('the pages of %s', { timeout: 120_000 }, async (username) => {
  const findings: Findings = [];
  const context = await openContext(browser, findings);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await signIn(page, username);
  await page.evaluate(AXE);
  for (const [path, heading, picture] of PAGES[username]?.() ?? []) {
    try {
      findings.push(...(await visit(page, { path, heading, picture })));
    } catch (error) {
      findings.push(`${path}: ${String(error).split('\n')[0]}`);
    }
  }
  await context.close();
  expect(findings).toEqual([]);
});

it('auditors and customers see no action that their role may not take', async () => {
  const context = await openContext(browser, []);
  const page = await context.newPage();
  await signIn(page, 'auditor', `/console/payments/${story.held}`);
  await page.getByRole('heading', { name: 'Details' }).waitFor();
  expect(await page.getByRole('button', { name: /Capture|Refund|Cancel/ }).count()).toBe(0);
  await openPage(page, `/accounts/${story.alice}`);
  await page.getByRole('heading', { name: 'Limits' }).waitFor();
  expect(await page.getByRole('button', { name: /Freeze|Close|Edit/ }).count()).toBe(0);
  expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
  await context.close();
});

it('a plot takes the colours of the system when they change', async () => {
  const context = await openContext(browser, []);
  const page = await context.newPage();
  await signIn(page, 'operator');
  const plot = page.locator('.plot canvas').first();
  await plot.waitFor();
  const brightest = () =>
    plot.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
        data: [],
      };
      // Of all pixels that are drawn: the lines of the grid are bright on a light page only.
      return Math.max(...[...data].filter((_, index) => index % 4 === 0 && (data[index + 3] ?? 0) > 250));
    });
  const light = await brightest();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(brightest).not.toBe(light);
  await context.close();
});

it('the whole console can be used by keyboard', async () => {
  const context = await openContext(browser, []);
  const page = await context.newPage();
  await signIn(page, 'operator');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
  await page.keyboard.press('/');
  await page.keyboard.type(story.completed);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /^Payment pay_/ }).waitFor();
  await page.getByRole('button', { name: 'Refund…' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByLabel('Amount to refund').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Refund…');
  await context.close();
});

async function visit(
  page: Page,
  { path, heading, picture }: { path: string; heading: string | RegExp; picture: string | undefined },
): Promise<Findings> {
  await openPage(page, path);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  // A page is finished when nothing loads any more.
  await page.waitForFunction(() => !document.querySelector('.skeleton'));
  await settle(page);
  const found = await axe(page, path);
  if (picture) await shoot(page, `${picture}-light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  found.push(...(await axe(page, path, ['color-contrast'])));
  if (picture) await shoot(page, `${picture}-dark`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 360, height: 740 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 360) found.push(`${path}: ${width} px wide on a screen of 360 px`);
  await page.setViewportSize({ width: 1280, height: 860 });
  return found;
}

/** Opens a page as a click does, without loading the application again. */
async function openPage(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState({}, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, `/console${path}`);
}

/** Animations change colours while they run. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter(({ effect }) => effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
        .map(({ finished }) => finished.catch(() => undefined)),
    ),
  );
}

async function axe(page: Page, path: string, rules?: string[]): Promise<string[]> {
  const options = rules ? { runOnly: { type: 'rule', values: rules } } : {};
  const { violations } = (await page.evaluate(
    (given) => (globalThis as unknown as { axe: { run(o: object): Promise<unknown> } }).axe.run(given),
    options,
  )) as AxeResults;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${path}: ${id}: ${html.slice(0, 160)}`),
  );
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${SHOTS}${name}.png` });
}
