/** The gateway does what its OpenAPI document says, whatever is sent: see ../contract. */
import { expect, it } from 'vitest';
import { testContract } from '../src/contract.ts';
import { gatewaysOf, readDemo } from '../src/platform.ts';

/** Enough for every operation's examples and edges, and a walk along the links; more is for runs by hand. */
const SECONDS = 60;

it.each(['operator', 'alice'])(
  'has nothing to find for Schemathesis in the name of %s',
  async (username) => {
    const options = ['--max-time', `${SECONDS}`, '--max-examples', '5', '--no-color'];
    // The second gateway: limits count by instance, and what is tried with logins shall slow down nobody else.
    const [, gateway] = gatewaysOf(readDemo());
    const { code, output, cases } = await testContract(username, options, gateway);
    expect(code, output).toBe(0);
    expect(cases).toBeGreaterThan(500);
  },
  // The tool is installed the first time.
  (SECONDS + 120) * 1_000,
);
