/** Mandates through the gateways: a payer lets a payee collect, both see it, and a revocation stops it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { type Terminal, terminalOf } from '../src/command.ts';
import { balanceOf, eventually, openAccount, peopleAtBoth, provenLedger, readDemo } from '../src/platform.ts';
import type { Answer } from '../src/rest.ts';

const demo = readDemo();
const [first, second] = peopleAtBoth(demo);
const { operator, auditor, alice, bob } = first;
type Person = typeof alice;
const terminals: Terminal[] = [];
afterAll(() => {
  for (const terminal of terminals) terminal.close();
});

const HOUR_MS = 3_600_000;

async function open(amount: number, limits: object = {}, valid_until = Date.now() + HOUR_MS) {
  const from = await openAccount(operator, alice.user, amount);
  const to = await openAccount(operator, bob.user, 0);
  const terms = {
    from_account: from.id,
    to_account: to.id,
    valid_until: new Date(valid_until).toISOString(),
  };
  const { status, body: mandate } = await alice.post('/v1/mandates', { ...terms, ...limits });
  expect(status).toBe(201);
  const payment = {
    ...{ from_account: from.id, to_account: to.id, currency: 'EUR', mandate_id: mandate.id },
    ...{ amount: 100 },
  };
  return { from, to, mandate, payment, terms };
}

/** The final response. While the outcome is unknown (202), or the machine is too busy (503), the same key asks again. */
async function pay(person: Person, body: object, key: string = randomUUID()): Promise<Answer> {
  for (;;) {
    const answer = await person.post('/v1/payments', body, { key });
    if (![202, 503].includes(answer.status)) return answer;
    await pause(100);
  }
}

const read = async (person: Person, id: string) => (await person.get(`/v1/mandates/${id}`)).body;
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, n) => make(n));

it('a payee collects within the limits; both sides see the collections, and the declined ones', async () => {
  const { from, to, mandate, payment } = await open(1_000, { daily: 250, reference: 'gym' });
  expect(mandate).toMatchObject({ state: 'active', currency: 'EUR', daily: 250, per_payment: null });
  const key = randomUUID();
  const collected = await pay(bob, { ...payment, reference: 'invoice 1' }, key);
  expect(collected).toMatchObject({ status: 201, body: { state: 'COMPLETED', mandate_id: mandate.id } });
  const again = await pay(bob, { ...payment, reference: 'invoice 1' }, key);
  expect([again.status, again.body]).toEqual([201, collected.body]);
  expect((await pay(bob, payment)).status).toBe(201);

  const declined = await pay(bob, payment);
  expect(declined).toMatchObject({
    status: 402,
    body: { code: 'MANDATE_LIMIT_EXCEEDED', limit: 250, used: 200, resets_at: expect.any(String) },
  });
  const declinedId = declined.body.payment.id;
  for (const person of [alice, bob, operator, auditor]) {
    const listed = (await person.get(`/v1/payments?account_id=${from.id}&state=COMPLETED,FAILED`)).body.data;
    const ids = listed.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(expect.arrayContaining([collected.body.id, declinedId]));
    expect((await person.get(`/v1/payments/${declinedId}`)).body).toMatchObject({
      state: 'FAILED',
      failure: { code: 'MANDATE_LIMIT_EXCEEDED', retryable: true },
    });
    expect((await read(person, mandate.id)).usage).toEqual({ daily: 200, monthly: 200 });
  }
  expect((await bob.get(`/v1/payments/${collected.body.id}`)).body.reference).toBe('invoice 1');
  expect((await alice.get(`/v1/payments/${collected.body.id}`)).body.reference).toBeNull();
  // Both find the declined attempt in the log of events and in the inbox.
  await eventually(async () => {
    for (const person of [alice, bob]) {
      const events = (await person.get(`/v1/events?payment_id=${declinedId}`)).body.data;
      expect(events).toMatchObject([
        { type: 'payment.failed', data: { payment: { mandate_id: mandate.id } } },
      ]);
      const notifications = (await person.get(`/v1/notifications?payment_id=${declinedId}`)).body.data;
      expect(notifications).toHaveLength(1);
    }
  });
  expect(await balanceOf(operator, to.id)).toMatchObject({ posted: 200 });
});

it('a payee sees no declined attempt that the payer made without the mandate, and strangers see nothing', async () => {
  const { mandate, payment } = await open(50);
  const { mandate_id: _, ...own } = payment;
  const declined = await pay(alice, own);
  expect(declined).toMatchObject({ status: 402, body: { code: 'INSUFFICIENT_BALANCE' } });
  expect((await bob.get(`/v1/payments/${declined.body.payment.id}`)).status).toBe(404);
  const collected = await pay(bob, payment);
  expect(collected).toMatchObject({ status: 402, body: { code: 'INSUFFICIENT_BALANCE' } });
  // The balance of the payer is in no part of the answer to the payee.
  expect(JSON.stringify(collected.body)).not.toContain('posted');
  expect(collected.body.limit).toBeUndefined();

  const unknown = { ...payment, mandate_id: `man_${randomUUID()}` };
  const other = await open(50);
  const answers = [
    await pay(bob, unknown),
    await pay(alice, payment),
    await pay(bob, { ...payment, mandate_id: other.mandate.id }),
  ];
  for (const { status, body } of answers) expect([status, body.code]).toEqual([404, 'MANDATE_NOT_FOUND']);
  expect((await bob.post(`/v1/mandates/${mandate.id}/revoke`, {})).body).toMatchObject({
    ...{ status: 403, code: 'ACTION_NOT_ALLOWED', allowed: 'payer' },
  });
});

it('a request for a mandate is made once with its key, and a revocation can be repeated', async () => {
  const { terms } = await open(0);
  const key = randomUUID();
  const answers = await Promise.all(
    times(10, (n) => (n % 2 ? first : second).alice.post('/v1/mandates', terms, { key })),
  );
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
  const { id } = answers[0]?.body ?? {};
  const reused = await alice.post('/v1/mandates', { ...terms, daily: 1 }, { key });
  expect([reused.status, reused.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  const revoked = await alice.post(`/v1/mandates/${id}/revoke`, {});
  expect(revoked).toMatchObject({ status: 200, body: { state: 'revoked' } });
  expect((await alice.post(`/v1/mandates/${id}/revoke`, {})).body).toEqual(revoked.body);
  // The first response again, though the mandate is revoked.
  expect((await alice.post('/v1/mandates', terms, { key })).body).toMatchObject({ id, state: 'active' });
  expect((await read(auditor, id)).revoked_by.actor_id).toBe(alice.user.id);
});

it('a mandate ends by itself', async () => {
  const { mandate, payment } = await open(500, {}, Date.now() + 3_000);
  expect((await pay(bob, payment)).status).toBe(201);
  await eventually(async () => expect((await read(bob, mandate.id)).state).toBe('expired'));
  const late = await pay(bob, payment);
  expect([late.status, late.body.code]).toEqual([402, 'MANDATE_NOT_ACTIVE']);
  const late2 = await alice.post('/v1/mandates', {
    ...{ from_account: payment.from_account, to_account: payment.to_account },
    valid_until: mandate.valid_until,
  });
  expect(late2).toMatchObject({ status: 400, body: { errors: [{ pointer: '/valid_until' }] } });
});

it('of a revocation and a collection at once, exactly one comes first', async () => {
  const RACES = 30;
  for (const race of times(RACES, (n) => n)) {
    const { to, mandate, payment } = await open(1_000);
    const [one, other] = race % 2 ? [first, second] : [second, first];
    const [collected, revoked] = await Promise.all([
      pay(one.bob, payment),
      other.alice.post(`/v1/mandates/${mandate.id}/revoke`, {}),
    ]);
    expect(revoked.status).toBe(200);
    expect([201, 402]).toContain(collected.status);
    const moved = collected.status === 201 ? 100 : 0;
    if (moved === 0) expect(collected.body.code).toBe('MANDATE_NOT_ACTIVE');
    expect((await read(bob, mandate.id)).usage.daily).toBe(moved);
    expect(await balanceOf(operator, to.id)).toMatchObject({ posted: moved });
    expect((await pay(one.bob, payment)).body.code).toBe('MANDATE_NOT_ACTIVE');
  }
});

it('collections at once never exceed the daily limit, and the books hold', async () => {
  const { to, mandate, payment } = await open(10_000, { daily: 1_050 });
  const answers = await Promise.all(times(40, (n) => pay((n % 2 ? first : second).bob, payment)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
  for (const { status, body } of answers)
    if (status !== 201) expect(body.code).toBe('MANDATE_LIMIT_EXCEEDED');
  expect((await read(alice, mandate.id)).usage.daily).toBe(1_000);
  expect(await balanceOf(operator, to.id)).toMatchObject({ posted: 1_000 });
  expect(await provenLedger(auditor)).toMatchObject({ holds: true });
});

it('the command makes, lists, uses and revokes mandates', async () => {
  const from = await openAccount(operator, alice.user, 5_000);
  const to = await openAccount(operator, bob.user, 0);
  const [payer, payee] = await Promise.all([alice, bob].map(({ user }) => terminalOf(demo.gateway, user)));
  if (!payer || !payee) throw new Error('no terminals');
  terminals.push(payer, payee);
  const until = new Date(Date.now() + HOUR_MS).toISOString();
  const accounts = ['--from', from.id, '--to', to.id];
  const terms = ['--until', until, '--daily', '12.50', '--reference', 'gym'];
  const made = (await payer.run('mandates', 'create', ...accounts, ...terms, '-o', 'json')).json();
  expect(made).toMatchObject({ state: 'active', daily: 1_250, reference: 'gym' });
  const collect = () =>
    payee.run('payments', 'create', ...accounts, '--amount', '10', '--mandate', made.id, '-o', 'json');
  expect((await collect()).json()).toMatchObject({ state: 'COMPLETED', mandate_id: made.id });
  expect((await payee.run('mandates', 'get', made.id)).stdout).toContain('10.00 EUR of 12.50 EUR');
  const listed = await payee.run('mandates', 'list', '--from-account', from.id, '-o', 'json');
  expect(listed.json()).toMatchObject([{ id: made.id }]);
  expect((await payer.run('mandates', 'revoke', made.id)).stdout).toContain('revoked');
  expect((await collect()).exitCode).not.toBe(0);
});
