import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, openAccount, paymentOf, people } from '../src/platform.ts';
import { pidOf } from '../src/processes.ts';
import type { Answer } from '../src/rest.ts';

const SERVICES = ['analytics', 'auth', 'authorization', 'gateway', 'ledger', 'notification', 'payment'];
const cli = fileURLToPath(new URL('../../registry/src/cli.ts', import.meta.url));

describe('two instances of every service', () => {
  it('are registered and pass their checks', () => {
    const { TEST_CONSUL_URL, TEST_CONSUL_CA_FILE, TEST_CONSUL_TOKEN } = process.env;
    const env = {
      ...process.env,
      CONSUL_URL: TEST_CONSUL_URL,
      CONSUL_CA_FILE: TEST_CONSUL_CA_FILE,
      CONSUL_TOKEN: TEST_CONSUL_TOKEN,
    };
    const { stdout } = spawnSync(process.execPath, ['--conditions=payflowx-source', cli, 'list', '--json'], {
      encoding: 'utf8',
      env,
    });
    const instances: { service: string; health: string }[] = JSON.parse(stdout);
    for (const service of SERVICES) {
      const passing = instances.filter((each) => each.service === service && each.health === 'passing');
      expect(`${service}: ${passing.length}`).toBe(`${service}: 2`);
    }
  });
});

const who = people();
const frozen: number[] = [];
afterEach(() => {
  for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT');
});

async function freeze(...names: string[]): Promise<void> {
  // One after the other: the command that tells a pid waits for others of its kind.
  for (const name of names) frozen.push(await pidOf(name));
  for (const pid of frozen) process.kill(pid, 'SIGSTOP');
}

async function newPayment() {
  const [from, to] = await Promise.all([
    openAccount(who.operator, who.alice.user, 1_000),
    openAccount(who.operator, who.bob.user, 0),
  ]);
  return { from_account: from.id, to_account: to.id, amount: 1, currency: 'EUR' };
}

const EVERY_MS = 100;
const REQUESTS = 30;

/** An open loop: the next request is sent in time, whether or not the one before has its answer. */
async function askSteadily(ask: () => Promise<Answer>) {
  const asked: Promise<{ status: number; ms: number }>[] = [];
  for (let index = 0; index < REQUESTS; index += 1) {
    const startedAt = performance.now();
    asked.push(ask().then(({ status }) => ({ status, ms: performance.now() - startedAt })));
    await pause(EVERY_MS);
  }
  return Promise.all(asked);
}

it('one frozen instance of every service holds up its own few requests for a moment, and the rest not at all', async () => {
  const payment = await newPayment();
  // Authorization's and auth's part is in all of them too.
  const asks = {
    payment: () => who.alice.post('/v1/payments', payment),
    authorization: () => who.alice.get(`/v1/accounts/${payment.from_account}`),
    auth: () => who.alice.get('/v1/auth/me'),
    ledger: () => who.operator.get('/v1/ledger/entries?limit=1'),
    notification: () => who.alice.get('/v1/notifications?limit=1'),
    analytics: () => who.operator.get('/v1/analytics/summary'),
  };
  for (const ask of Object.values(asks)) expect((await ask()).status).toBeLessThan(300);
  await freeze(...Object.keys(asks));
  const answers = await Promise.all(
    Object.entries(asks).map(async ([service, ask]) => ({ service, answers: await askSteadily(ask) })),
  );
  for (const { service, answers: all } of answers) {
    expect(
      all.filter(({ status }) => status >= 300),
      service,
    ).toEqual([]);
    const times = all.map(({ ms }) => ms).sort((a, b) => a - b);
    // A payment passes two frozen instances at worst, 1.7 s each. The bounds are those of a machine that is many times slower.
    expect(times[REQUESTS / 2], service).toBeLessThan(2_500);
    expect(times.at(-1), service).toBeLessThan(7_000);
  }
});

it('a payment during an outage of payment gets a response within 8 s, and its key returns the one outcome afterwards', async () => {
  const body = await newPayment();
  const key = randomUUID();
  await freeze('payment', 'payment-2');
  const startedAt = performance.now();
  const late = await who.alice.post('/v1/payments', body, { key });
  expect([late.status, late.body.code]).toEqual([504, 'TIMEOUT']);
  expect(performance.now() - startedAt).toBeLessThan(9_500);

  for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT');
  const payment = await eventually(async () => {
    const answer = await who.alice.post('/v1/payments', body, { key });
    expect([200, 201]).toContain(answer.status);
    return answer.body;
  });
  expect((await paymentOf(who.alice, payment.id)).state).toBe('COMPLETED');
  const { body: payer } = await who.alice.get(`/v1/accounts/${body.from_account}`);
  expect(payer.balance.available).toBe(999);
});
