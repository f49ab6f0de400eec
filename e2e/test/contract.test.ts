/** The gateway behaves as its OpenAPI document says, for any request: see ../contract. */
import { expect, it } from 'vitest';
import { testContract } from '../src/contract.ts';
import { gatewaysOf, readDemo } from '../src/platform.ts';

/** Enough for every operation's examples and edge cases, and for following the links. Longer runs are made by hand. */
const SECONDS = Number(process.env.SECONDS ?? 30);

/** Side by side: each spends half of its time waiting for the platform. */
it.concurrent.each(['operator', 'alice'])(
  'finds no violation by Schemathesis as %s',
  async (username) => {
    const options = ['--max-time', `${SECONDS}`, '--max-examples', '5', '--no-color'];
    // The second gateway. Quotas count for each instance, and failed logins here must not throttle other tests.
    const [, gateway] = gatewaysOf(readDemo());
    const { code, output, cases } = await testContract(username, options, gateway);
    expect(code, output).toBe(0);
    expect(cases).toBeGreaterThan(200);
  },
  // The tool is installed at the first run.
  (SECONDS + 120) * 1_000,
);
