/** The sandbox from outside: through two gateways, with the ledger, events and the command. */
import { beforeAll, describe, expect, it } from 'vitest';
import { terminalOf } from '../src/command.ts';
import {
  type Account,
  accountOf,
  eventually,
  gatewaysOf,
  openAccount,
  paymentOf,
  people,
  provenLedger,
  readDemo,
  reconciled,
} from '../src/platform.ts';

const demo = readDemo();
const [, second] = gatewaysOf(demo);
const { operator, alice, bob } = people(demo);
const aliceElsewhere = people(demo, second).alice;

let from: Account;
let to: Account;
beforeAll(async () => {
  [from, to] = await Promise.all([
    openAccount(operator, alice.user, 10_000),
    openAccount(operator, bob.user, 0),
  ]);
});

const body = (reference: string, more: object = {}) => ({
  ...{ from_account: from.id, to_account: to.id, amount: 100, currency: 'EUR', reference },
  ...more,
});
const advance = (account: Account, seconds: number, who = alice, key = crypto.randomUUID()) =>
  who.post(`/v1/sandbox/accounts/${account.id}/advance`, { seconds }, { key });

describe('a magic reference', () => {
  it('declines a payment with the state, the event and the key of a real decline', async () => {
    const key = crypto.randomUUID();
    const request = body('sandbox:decline:DAILY_LIMIT_EXCEEDED');
    const declined = await alice.post('/v1/payments', request, { key });
    expect(declined).toMatchObject({
      status: 402,
      body: { code: 'DAILY_LIMIT_EXCEEDED', payment: { state: 'FAILED', decision: { outcome: 'declined' } } },
    });
    expect(declined.body).toHaveProperty('resets_at');
    const again = await aliceElsewhere.post('/v1/payments', request, { key });
    expect(again).toMatchObject({ status: 402, body: { payment: { id: declined.body.payment.id } } });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    await eventually(async () => {
      const events = await alice.get(`/v1/events?payment_id=${declined.body.payment.id}`);
      expect(events.body.data.map(({ type }: { type: string }) => type)).toEqual(['payment.failed']);
    });
  });

  it('lets an outcome come later, and then for the key too', async () => {
    const key = crypto.randomUUID();
    const request = body('sandbox:unknown:2');
    const accepted = await alice.post('/v1/payments', request, { key });
    expect(accepted).toMatchObject({ status: 202, body: { state: 'INITIATED' } });
    const meanwhile = await aliceElsewhere.post('/v1/payments', request, { key });
    expect(meanwhile).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_IN_PROGRESS' } });
    await eventually(async () =>
      expect(await paymentOf(alice, accepted.body.id)).toMatchObject({ state: 'COMPLETED' }),
    );
    const outcome = await aliceElsewhere.post('/v1/payments', request, { key });
    expect(outcome).toMatchObject({ status: 201, body: { id: accepted.body.id } });
  });

  it.each([429, 503])('refuses with %d, and leaves the key unused', async (status) => {
    const key = crypto.randomUUID();
    const refused = await alice.post('/v1/payments', body(`sandbox:status:${status}`), { key });
    expect(refused.status).toBe(status);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await alice.post('/v1/payments', body('order-1'), { key })).status).toBe(201);
  });
});

describe('the test clock', () => {
  it('lets a hold expire, with its event and its entries in the ledger', async () => {
    const account = await openAccount(operator, alice.user, 1_000);
    const hold = { from_account: account.id, capture: 'manual', hold_seconds: 86_400 };
    const { body: held } = await alice.post('/v1/payments', body('hold', hold));
    expect(held.state).toBe('AUTHORIZED');

    const key = crypto.randomUUID();
    const moved = await advance(account, 86_400, alice, key);
    expect(moved).toMatchObject({
      status: 200,
      body: { account_id: account.id, advanced_seconds: 86_400, moved_holds: 1 },
    });
    const again = await advance(account, 86_400, aliceElsewhere, key);
    expect(again.body).toEqual(moved.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');

    const late = await alice.post(`/v1/payments/${held.id}/capture`, {});
    expect(late).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } });
    await eventually(async () => expect((await paymentOf(alice, held.id)).state).toBe('EXPIRED'));
    expect((await accountOf(alice, account.id)).balance).toMatchObject({ posted: 1_000, held: 0 });
    await eventually(async () => {
      const entries = await alice.get(`/v1/ledger/entries?payment_id=${held.id}`);
      const times = entries.body.data.map(({ created_at }: { created_at: string }) => created_at);
      // The hold and its release, of her account.
      expect(times).toHaveLength(2);
      // Newest first: no entry was dated into the past.
      expect(times).toEqual(times.toSorted().toReversed());
    });
  });

  it('begins the limits of a day again', async () => {
    const account = await openAccount(operator, alice.user, 1_000, { limits: { daily_count: 1 } });
    const pay = () => alice.post('/v1/payments', body('day', { from_account: account.id }));
    expect((await pay()).status).toBe(201);
    expect(await pay()).toMatchObject({ status: 402, body: { code: 'DAILY_COUNT_EXCEEDED' } });
    await advance(account, 86_400);
    expect((await pay()).status).toBe(201);
  });

  it('is for the owner and for operators, and leaves a record', async () => {
    const account = await openAccount(operator, alice.user, 0);
    expect(await advance(account, 60, bob)).toMatchObject({
      status: 404,
      body: { code: 'ACCOUNT_NOT_FOUND' },
    });
    expect((await advance(account, 60, operator)).status).toBe(200);
    const { body: audit } = await operator.get(`/v1/audit/accounts?account_id=${account.id}`);
    expect(audit.data[0]).toMatchObject({
      action: 'account.clock_advanced',
      actor_id: operator.user.id,
      before: { advanced_seconds: 0 },
      after: { advanced_seconds: 60 },
    });
  });

  it('is moved by the command too', async () => {
    const account = await openAccount(operator, alice.user, 0);
    const terminal = await terminalOf(demo.gateway, alice.user);
    const args = ['accounts', 'advance', account.id, '--seconds', '60', '-o', 'json'];
    expect((await terminal.run(...args)).json()).toEqual({
      account_id: account.id,
      advanced_seconds: 60,
      moved_holds: 0,
    });
    terminal.close();
  });

  it('does not change that the books agree', async () => {
    expect((await provenLedger(operator)).holds).toBe(true);
    await reconciled(operator);
  });
});
