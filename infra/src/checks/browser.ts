/** Tests of the console in a real browser, against the running platform. */
import { join } from 'node:path';
import { installDebianPackages } from '../debian.ts';
import { explain } from '../failure.ts';
import { root } from '../paths.ts';
import { say } from '../progress.ts';
import { which } from '../run.ts';
import { runSuite } from './suite.ts';
import type { Tally } from './tally.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Never rejects. Without a browser that can be installed, it counts one failure and prints what to install. */
export async function runConsole(env: NodeJS.ProcessEnv): Promise<Tally> {
  try {
    const CHROMIUM = process.env.CHROMIUM ?? (await findBrowser()) ?? (await installBrowser());
    return await runSuite('console', join(root, 'console'), { ...env, CHROMIUM });
  } catch (error) {
    console.error(explain(error));
    return { passed: 0, failures: ['console: there is no browser'] };
  }
}

async function findBrowser(): Promise<string | undefined> {
  for (const name of NAMES) {
    const path = await which(name);
    if (path !== undefined) return path;
  }
  return undefined;
}

async function installBrowser(): Promise<string> {
  await installDebianPackages(['chromium'], 'A browser for the tests of the console', (text) =>
    say('browser', text),
  );
  return (await findBrowser()) ?? 'chromium';
}
