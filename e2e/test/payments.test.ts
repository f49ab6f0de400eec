import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type Account,
  balanceOf,
  gatewaysOf,
  openAccount,
  people,
  provenLedger,
  readDemo,
} from '../src/platform.ts';
import { type Answer, expectStatus, restClient } from '../src/rest.ts';

const demo = readDemo();
const { operator, auditor, alice, bob } = people(demo);

/** Two accounts, Alice's with `amount` in it. */
async function accounts(amount: number): Promise<{ from: Account; to: Account }> {
  const [from, to] = await Promise.all([
    openAccount(operator, alice.user, amount),
    openAccount(operator, bob.user, 0),
  ]);
  return { from, to };
}

const payment = (from: Account, to: Account, amount: number) => ({
  from_account: from.id,
  to_account: to.id,
  amount,
  currency: 'EUR',
});

/** The final response. While the outcome is unknown (202), or the machine is too busy (503), the same key asks again. */
async function pay(person: typeof alice, body: object): Promise<Answer> {
  const key = randomUUID();
  for (;;) {
    const answer = await person.post('/v1/payments', body, { key });
    if (![202, 503].includes(answer.status)) return answer;
    await pause(100);
  }
}

const count = (answers: Answer[], status: number) =>
  answers.filter((answer) => answer.status === status).length;
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

describe('one key', () => {
  it('makes one payment of 50 concurrent requests through two gateways, with one response for all', async () => {
    const { from, to } = await accounts(10_000);
    const key = randomUUID();
    const sessions = gatewaysOf(demo).map((gateway) => restClient(gateway, () => alice.api.accessToken()));
    const send = (index: number) =>
      sessions[index % sessions.length]?.post('/v1/payments', payment(from, to, 100), {
        key,
      }) as Promise<Answer>;
    const answers = await Promise.all(times(50, send));
    const definite = answers.filter(({ status }) => status !== 409);
    for (const { status } of answers) expect([201, 409]).toContain(status);
    for (const { body } of definite) expect(body).toEqual(definite[0]?.body);
    for (const { body, headers } of answers.filter(({ status }) => status === 409)) {
      expect(body.code).toBe('IDEMPOTENCY_IN_PROGRESS');
      expect(headers.get('retry-after')).toBeTruthy();
    }
    expect((await balanceOf(alice, from.id)).posted).toBe(9_900);
    expect((await send(0)).body).toEqual(definite[0]?.body);
  });

  it('returns a decline again unchanged', async () => {
    const { from, to } = await accounts(10);
    const key = randomUUID();
    const first = await alice.post('/v1/payments', payment(from, to, 11), { key });
    const again = await alice.post('/v1/payments', payment(from, to, 11), { key });
    expect(expectStatus(first, 402).code).toBe('INSUFFICIENT_BALANCE');
    expect(expectStatus(again, 402).payment).toEqual(first.body.payment);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('belongs to its caller: another caller may use the same', async () => {
    const { from, to } = await accounts(100);
    const key = randomUUID();
    expectStatus(await alice.post('/v1/payments', payment(from, to, 100), { key }), 201);
    const back = expectStatus(await bob.post('/v1/payments', payment(to, from, 100), { key }), 201);
    expect(back.from_account).toBe(to.id);
  });

  it('is refused for another body or another path', async () => {
    const { from, to } = await accounts(1_000);
    const key = randomUUID();
    const request = { account_id: from.id, amount: 5, currency: 'EUR' };
    expectStatus(await operator.post('/v1/deposits', request, { key }), 201);
    const otherBody = await operator.post('/v1/deposits', { ...request, amount: 6 }, { key });
    const otherPath = await operator.post('/v1/withdrawals', request, { key });
    expect(expectStatus(otherBody, 422).code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(expectStatus(otherPath, 422).code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect((await balanceOf(operator, from.id)).posted).toBe(1_005);
    expect((await balanceOf(operator, to.id)).posted).toBe(0);
  });
});

describe('a race', () => {
  it('of 100 payments for a balance that is enough for ten completes ten and declines ninety', async () => {
    const { from, to } = await accounts(1_000);
    const answers = await Promise.all(times(100, () => pay(alice, payment(from, to, 100))));
    expect([count(answers, 201), count(answers, 402)]).toEqual([10, 90]);
    expect(await balanceOf(alice, from.id)).toEqual({ posted: 0, held: 0, available: 0 });
    expect((await balanceOf(bob, to.id)).posted).toBe(1_000);
    await provenLedger(auditor);
    const ledger = expectStatus(await alice.get(`/v1/ledger/accounts/${from.id}/balance`), 200);
    expect(ledger).toMatchObject({ posted: 0, pending: 0 });
  });

  it('in opposite directions causes no deadlock that a caller sees', async () => {
    const [from, to] = await Promise.all([
      openAccount(operator, alice.user, 10_000),
      openAccount(operator, bob.user, 10_000),
    ]);
    const answers = await Promise.all(
      times(100, (index) =>
        index % 2 === 0 ? pay(alice, payment(from, to, 7)) : pay(bob, payment(to, from, 7)),
      ),
    );
    expect(count(answers, 201)).toBe(100);
    expect((await balanceOf(alice, from.id)).posted).toBe(10_000);
  });

  it('for a daily count lets exactly that many through', async () => {
    const from = await openAccount(operator, alice.user, 10_000, { limits: { daily_count: 3 } });
    const to = await openAccount(operator, bob.user, 0);
    const answers = await Promise.all(times(12, () => pay(alice, payment(from, to, 1))));
    expect([count(answers, 201), count(answers, 402)]).toEqual([3, 9]);
    const declined = answers.find(({ status }) => status === 402)?.body;
    expect(declined).toMatchObject({ code: 'DAILY_COUNT_EXCEEDED', limit: 3, used: 3 });
    expect(declined.resets_at).toMatch(/T00:00:00.000Z$/);
  });
});

describe('an invalid request', () => {
  const ABSENT = 'acct_00000000-0000-7000-8000-000000000000';
  type Case = [
    name: string,
    change: object | string,
    request: { key?: string | null },
    status: number,
    code?: string,
  ];

  it.each<Case>([
    ['amount 0', { amount: 0 }, {}, 400],
    ['amount −1', { amount: -1 }, {}, 400],
    ['amount 1.5', { amount: 1.5 }, {}, 400],
    ['amount "10"', { amount: '10' }, {}, 400],
    ['amount 2^53', { amount: 2 ** 53 }, {}, 400],
    ['no amount', { amount: undefined }, {}, 400],
    ['unknown currency', { currency: 'XYZ' }, {}, 400],
    ['small letters', { currency: 'eur' }, {}, 400],
    ['unknown field', { colour: 'red' }, {}, 400],
    ['broken JSON', '{"amount": 1', {}, 400],
    ['no object', '[]', {}, 400],
    ['a NUL character', { description: 'a\u0000b' }, {}, 400],
    ['no key', {}, { key: null }, 400, 'IDEMPOTENCY_KEY_REQUIRED'],
    ['overlong key', {}, { key: 'k'.repeat(256) }, 400],
    ['invisible key', {}, { key: 'a b' }, 400],
    ['same account', { to_account: 'same' }, {}, 422, 'SAME_ACCOUNT'],
    ['an account that is not there', { from_account: ABSENT }, {}, 404, 'FROM_ACCOUNT_NOT_FOUND'],
    ['a receiver that is not there', { to_account: ABSENT }, {}, 402, 'TO_ACCOUNT_NOT_FOUND'],
    ['another currency than the accounts', { currency: 'USD' }, {}, 402, 'CURRENCY_MISMATCH'],
  ])('with %s is refused and changes nothing', async (_, change, request, status, code) => {
    const { from, to } = await accounts(100);
    const body = typeof change === 'string' ? change : { ...payment(from, to, 10), ...change };
    if (typeof body === 'object' && body.to_account === 'same') body.to_account = from.id;
    const answer = await alice.post('/v1/payments', body, request);
    const problem = expectStatus(answer, status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(problem).toMatchObject({ status, request_id: answer.headers.get('x-request-id') });
    if (code) expect(problem.code).toBe(code);
    expect(await balanceOf(alice, from.id)).toEqual({ posted: 100, held: 0, available: 100 });
  });

  it('with an unknown query parameter, a wrong type or a body that is too long is refused', async () => {
    expectStatus(await alice.get('/v1/payments?colour=red'), 400);
    const text = { key: randomUUID(), headers: { 'content-type': 'text/plain' } };
    expectStatus(await alice.post('/v1/payments', 'hello', text), 415);
    expectStatus(await alice.post('/v1/payments', { description: 'x'.repeat(70_000) }), 413);
  });
});

describe('the document', () => {
  it('has the decision of a real payment as its example', async () => {
    const { body } = await alice.get('/openapi.json');
    const [documented] = body.components.schemas.Decision.examples;
    const from = await openAccount(operator, alice.user, 50_000, { limits: { daily: 100_000 } });
    const to = await openAccount(operator, bob.user, 0);
    const { data: paid } = await alice.api.post('/v1/payments', { body: payment(from, to, 1_250) });
    const made = { ...paid.decision, decided_at: documented.decided_at };
    expect(made).toEqual(documented);
  });
});
