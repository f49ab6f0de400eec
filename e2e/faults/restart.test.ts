/** A gateway that restarts under load: its callers wait for a moment, and notice nothing else. */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { expect, it } from 'vitest';
import { balanceOf, openAccount, people } from '../src/platform.ts';
import { crash, restartProcess } from '../src/processes.ts';

const { operator, alice, bob } = people();
const PAYERS = 4;

/** Pays one minor unit after the other until `stop`, and counts the answers: by status, or by the error where there was none. */
async function payOverAndOver(agent: Agent | false) {
  const from = await openAccount(operator, alice.user, 100_000);
  const to = await openAccount(operator, bob.user, 0);
  const body = JSON.stringify({ from_account: from.id, to_account: to.id, amount: 1, currency: 'EUR' });
  const outcomes: Record<string, number> = {};
  let isStopped = false;
  const payOnAndOn = async () => {
    while (!isStopped) {
      const outcome = await pay(body, (await alice.api.accessToken()) ?? '', agent);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  const payers = Array.from({ length: PAYERS }, payOnAndOn);
  return {
    outcomes,
    async stop() {
      isStopped = true;
      await Promise.all(payers);
      return { outcomes, received: (await balanceOf(bob, to.id)).posted };
    },
  };
}

function pay(body: string, token: string, agent: Agent | false): Promise<string> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  };
  const url = new URL('/v1/payments', alice.gateway);
  return new Promise((resolve) => {
    const sending = request(url, { method: 'POST', headers, agent }, (answer) => {
      answer.resume().on('end', () => resolve(String(answer.statusCode)));
    });
    sending.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    sending.end(body);
  });
}

const kinds = [
  ['kept open', () => new Agent({ keepAlive: true })],
  ['new for each request', () => false as const],
] as const;

it.each(kinds)('a restart loses no request of connections that are %s', async (_, agentOf) => {
  const paying = await payOverAndOver(agentOf());
  await restartProcess('gateway');
  const before = paying.outcomes[201] ?? 0;
  await expect.poll(() => paying.outcomes[201], { timeout: 20_000 }).toBeGreaterThan(before + PAYERS);
  const { outcomes, received } = await paying.stop();
  expect(outcomes).toEqual({ 201: received });
});

it('a crash breaks the connections that are open, and refuses none', async () => {
  const paying = await payOverAndOver(false);
  await crash('gateway');
  await expect.poll(() => paying.outcomes[201] ?? 0, { timeout: 20_000 }).toBeGreaterThan(3 * PAYERS);
  const { outcomes } = await paying.stop();
  expect(outcomes).not.toHaveProperty('ECONNREFUSED');
  expect(outcomes).not.toHaveProperty('503');
});
