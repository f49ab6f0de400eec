/** PostgreSQL restarts or dies under load, with the databases of all services. No process ends, and the money stays right. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { balanceOf, openAccount, people, provenLedger, reconciled } from '../src/platform.ts';
import { allPids, crash, restartProcess } from '../src/processes.ts';
import { SERVICES } from '../src/reach/table.ts';
import { restClient } from '../src/rest.ts';

const { operator, auditor, alice, bob } = people();
const rest = restClient(alice.gateway);
const PAYERS = 8;
const AFTERWARDS = 5;

/** The pids of all processes but the restarted one. */
async function pids(): Promise<Record<string, number>> {
  const { postgres: _, ...others } = await allPids();
  for (const service of SERVICES) expect(others).toHaveProperty([service]);
  return others;
}

/** The outcome is not known, or nothing was done. The caller repeats the request with the same key. */
const REPEATED = [202, 409, 503, 504];

/** Each payer pays one minor unit after the other until `stop`. */
async function payOverAndOver() {
  const from = await openAccount(operator, alice.user, 100_000);
  const to = await openAccount(operator, bob.user, 0);
  const body = { from_account: from.id, to_account: to.id, amount: 1, currency: 'EUR' };
  const token = (await alice.api.accessToken()) ?? '';
  const answers: Record<number, number> = {};
  let paid = 0;
  let isStopped = false;

  const payOnce = async () => {
    const key = randomUUID();
    for (;;) {
      const { status } = await rest.post('/v1/payments', body, { key, token });
      answers[status] = (answers[status] ?? 0) + 1;
      if (!REPEATED.includes(status)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    paid += 1;
  };
  const payOnAndOn = async () => {
    while (!isStopped) await payOnce();
  };
  const payers = Array.from({ length: PAYERS }, payOnAndOn);
  return {
    answers,
    paid: () => paid,
    async stop() {
      isStopped = true;
      await Promise.all(payers);
      return { sent: paid, received: (await balanceOf(bob, to.id)).posted };
    },
  };
}

it.each([
  ['restarts', () => restartProcess('postgres')],
  ['is killed', () => crash('postgres')],
])(
  'when PostgreSQL %s, callers get 503 or their answer, no process ends, and the books agree',
  async (_, end) => {
    const before = await pids();
    const paying = await payOverAndOver();
    await expect.poll(paying.paid, { timeout: 30_000 }).toBeGreaterThan(PAYERS);
    await end();
    const paidThen = paying.paid();
    // Every payer is past the request that met the outage.
    await expect.poll(paying.paid, { timeout: 60_000 }).toBeGreaterThan(paidThen + AFTERWARDS * PAYERS);
    const { sent, received } = await paying.stop();
    expect(received).toBe(sent);
    expect([...REPEATED, 201]).toEqual(expect.arrayContaining(Object.keys(paying.answers).map(Number)));
    expect(await pids()).toEqual(before);
    await provenLedger(auditor);
    await reconciled(operator);
    expect(await pids()).toEqual(before);
  },
);
