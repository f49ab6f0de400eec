/** A real browser on the running platform. Everything that a page reports as wrong is collected, and fails the test. */
import { existsSync, readFileSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export interface Demo {
  gateway: string;
  users: { id: string; username: string; password: string; roles: string[] }[];
  accounts: { id: string; owner_id: string; currency: string }[];
}

const DEMO_FILE = new URL('../../.local/demo.json', import.meta.url);

export function readDemo(): Demo {
  return JSON.parse(readFileSync(DEMO_FILE, 'utf8'));
}

/** `make test` sets the variable, after it has found or installed a browser. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export function launch(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `There is no ${CHROMIUM}. On Debian: apt-get install chromium. Elsewhere: CHROMIUM=<its path>.`,
    );
  }
  // Chromium needs user namespaces for its sandbox, and root has none in most containers.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** Reports of the pages: errors of the console, violations of the policy, and uncaught errors. */
export type Findings = string[];

/** Forgets failed requests that the test caused on purpose: Chromium writes each into the console. Fails if there was none. */
export function forgive(findings: Findings, cause: RegExp): void {
  const others = findings.filter((finding) => !cause.test(finding));
  if (others.length === findings.length) throw new Error(`No page reported ${cause}.`);
  findings.splice(0, findings.length, ...others);
}

export async function openContext(
  browser: Browser,
  findings: Findings,
  more: Parameters<Browser['newContext']>[0] = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    baseURL: readDemo().gateway,
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...more,
  });
  context.on('page', (page) => {
    page.on('pageerror', (error) => findings.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') findings.push(`${page.url()}: ${message.text()}`);
    });
  });
  return context;
}

export async function signIn(page: Page, username: string, path = '/console'): Promise<void> {
  const user = readDemo().users.find((each) => each.username === username);
  if (!user) throw new Error(`There is no user ${username}.`);
  await page.goto(path);
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#content').waitFor();
}

export interface SignedIn {
  /** A new page of this person, who has signed in before. The pages of one person share a context, as tabs do. */
  pageOf(username: string, path: string): Promise<Page>;
  /** Closes the pages, and keeps the sessions. */
  closePages(): Promise<void>;
}

interface Person {
  context: BrowserContext;
  /** Stays open, and gives its access token to the pages that open later. */
  first: Page;
}

/** Each person signs in once for a whole file of tests: a login costs the platform more than all that a page loads. */
export function signedIn(browser: Browser, findings: Findings): SignedIn {
  const people = new Map<string, Promise<Person>>();
  async function start(username: string): Promise<Person> {
    const context = await openContext(browser, findings);
    const first = await context.newPage();
    await signIn(first, username, '/console/security');
    return { context, first };
  }
  return {
    async pageOf(username, path) {
      const person = people.get(username) ?? start(username);
      people.set(username, person);
      const page = await (await person).context.newPage();
      await page.goto(path);
      await page.locator('#content').waitFor();
      return page;
    },
    async closePages() {
      for (const person of people.values()) {
        const { context, first } = await person;
        for (const page of context.pages()) {
          if (page === first) continue;
          await page.unrouteAll({ behavior: 'ignoreErrors' });
          await page.close();
        }
      }
    },
  };
}

/** Presses Tab until the element with this name has the focus, as a person without a mouse does. */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const focused = page.locator(':focus');
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const found = typeof name === 'string' ? page.getByLabel(name, { exact: true }) : undefined;
    const isFound = found
      ? await found.evaluateAll((all) => all.includes(document.activeElement as never))
      : name instanceof RegExp && name.test((await focused.textContent()) ?? '');
    if (isFound) return;
  }
  throw new Error(`Tab does not reach ${name}.`);
}
