/** Mandates through the service: who makes, reads and revokes them, and what a collection does to them. */
import type { RoleName } from '@payflowx/chassis';
import { newId } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { Role } from '@payflowx/proto/auth';
import {
  type AuthorizeItem,
  CaptureMode,
  type Mandate,
  type MandateServiceService,
  MandateState,
} from '@payflowx/proto/authorization';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectBooksToBalance, times } from './books.ts';
import {
  accountOf,
  captureOf,
  item,
  mandateOf,
  openAccount,
  openMandate,
  type RunningService,
  startService,
} from './running-service.ts';

/** 23:30 in Berlin. */
const EVENING = new Date('2025-03-30T21:30:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let service: RunningService;
let rpc: RunningService['mandates'][number];
let now = EVENING;
let alice: string;
let bob: string;
const way = () => ({ fromAccount: alice, toAccount: bob });

beforeAll(async () => {
  service = await startService({ now: () => now });
  [rpc] = service.mandates as [typeof rpc];
});
beforeEach(async () => {
  now = EVENING;
  alice = await openAccount(service, { balance: 10_000n, timeZone: 'Europe/Berlin' });
  bob = await openAccount(service, { ownerId: 'usr_bob' });
});
afterAll(() => service.stop());

const as = async (id: string, ...roles: RoleName[]) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await service.tokenFor({ id, roles: roles.length > 0 ? roles : ['customer'] }),
});

type Change = Partial<Parameters<MandateServiceService['createMandate']['requestSerialize']>[0]>;
const make = (change: Change = {}) =>
  openMandate(service, { ...way(), validUntil: new Date(now.getTime() + 30 * DAY_MS), ...change });

async function read(id: string, caller = 'usr_bob'): Promise<Mandate> {
  const { mandate } = await rpc.getMandate({ mandateId: id }, await as(caller));
  if (!mandate) throw new Error('no mandate');
  return mandate;
}

const revoke = async (mandateId: string, caller = 'usr_alice', ...roles: RoleName[]) =>
  (await rpc.revokeMandate({ mandateId }, await as(caller, ...roles))).mandate;

async function collect(mandateId: string, change: Partial<AuthorizeItem> = {}) {
  const payment = item({ ...way(), callerId: 'usr_bob', mandateId, ...change });
  const [answer] = await service.authorize(payment);
  if (!answer?.decision) throw new Error(`no decision: ${answer?.error?.message}`);
  return { payment, decision: answer.decision, code: answer.decision.code };
}

const hold = (mandateId: string, change: Partial<AuthorizeItem> = {}) =>
  collect(mandateId, { captureMode: CaptureMode.MANUAL, holdSeconds: 3_600, ...change });

describe('a new mandate', () => {
  it('is active and unused, and both sides see it', async () => {
    const made = await make({ dailyMinor: 500n, reference: 'gym 2025' });
    expect(made).toMatchObject({
      ...way(),
      state: MandateState.ACTIVE,
      currency: 'EUR',
      reference: 'gym 2025',
      limits: { perPaymentMinor: undefined, dailyMinor: 500n, monthlyMinor: undefined },
      usage: { dailyMinor: 0n, monthlyMinor: 0n },
      revokedAt: undefined,
      createdBy: undefined,
    });
    expect(made.id).toMatch(/^man_/);
    expect(await read(made.id, 'usr_alice')).toEqual(made);
    expect(await read(made.id, 'usr_bob')).toEqual(made);
  });

  it('shows operators and auditors who made and revoked it', async () => {
    const { id } = await make();
    await revoke(id);
    for (const role of ['operator', 'auditor'] as const) {
      const { mandate } = await rpc.getMandate({ mandateId: id }, await as('usr_staff', role));
      expect(mandate).toMatchObject({
        createdBy: { actorId: 'usr_alice', callId: expect.stringMatching(/^call_/) },
        revokedBy: { actorId: 'usr_alice', callId: expect.stringMatching(/^call_/) },
      });
    }
  });

  it.each<[string, () => Change | Promise<Change>, string]>([
    ['from an account of others', () => ({ fromAccount: bob, toAccount: alice }), 'FROM_ACCOUNT_NOT_FOUND'],
    ['from an account that does not exist', () => ({ fromAccount: 'acct_none' }), 'FROM_ACCOUNT_NOT_FOUND'],
    ['to an account that does not exist', () => ({ toAccount: 'acct_none' }), 'TO_ACCOUNT_NOT_FOUND'],
    ['to the external account', () => ({ toAccount: 'external:EUR' }), 'TO_ACCOUNT_NOT_FOUND'],
    ['to the same account', () => ({ toAccount: alice }), 'SAME_ACCOUNT'],
    [
      'in another currency',
      async () => ({ toAccount: await openAccount(service, { ownerId: 'usr_bob', currency: 'USD' }) }),
      'CURRENCY_MISMATCH',
    ],
    ['that has ended', () => ({ validUntil: now }), 'INVALID_ARGUMENT'],
    ['without an end', () => ({ validUntil: undefined }), 'INVALID_ARGUMENT'],
    ['with a limit of 0', () => ({ dailyMinor: 0n }), 'INVALID_ARGUMENT'],
    ['with a limit above the cap', () => ({ monthlyMinor: 2n ** 53n }), 'INVALID_ARGUMENT'],
  ])('is refused %s', async (_, change, reason) => {
    await expect(make(await change())).rejects.toMatchObject({ reason });
  });

  it('is not made by an operator for others, but from an account of its own', async () => {
    const operator = await as('usr_op', 'operator');
    await expect(rpc.createMandate(mandateOf({ now, ...way() }), operator)).rejects.toMatchObject({
      reason: 'FROM_ACCOUNT_NOT_FOUND',
    });
    const own = await openAccount(service, { ownerId: 'usr_op' });
    const { mandate } = await rpc.createMandate(
      mandateOf({ now, fromAccount: own, toAccount: bob }),
      operator,
    );
    expect(mandate?.fromAccount).toBe(own);
  });
});

describe('a retry of its creation', () => {
  it('gets the first response, also after the mandate was used, revoked and has ended', async () => {
    const request = { ...way(), requestId: newId('req'), validUntil: new Date(now.getTime() + HOUR_MS) };
    const first = await openMandate(service, request);
    expect((await collect(first.id)).code).toBe('');
    await revoke(first.id);
    now = new Date(now.getTime() + DAY_MS);
    expect(await openMandate(service, request)).toEqual(first);
  });

  it('makes one mandate of many requests at once', async () => {
    const request = { ...way(), requestId: newId('req'), validUntil: new Date(now.getTime() + HOUR_MS) };
    const made = await Promise.all(times(20, () => openMandate(service, request)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  });

  it('is refused with other terms, and another caller may use the same id', async () => {
    const requestId = newId('req');
    const validUntil = new Date(now.getTime() + HOUR_MS);
    await make({ requestId, validUntil });
    await expect(make({ requestId, validUntil, dailyMinor: 1n })).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    const other = { fromAccount: bob, toAccount: alice, requestId, validUntil };
    await expect(openMandate(service, other, { payer: 'usr_bob' })).resolves.toMatchObject({
      fromAccount: bob,
    });
  });
});

describe('others', () => {
  it('cannot read, revoke or use it, as if it did not exist', async () => {
    const { id } = await make();
    const none = newId('man');
    for (const mandateId of [id, none, 'x'.repeat(64)]) {
      await expect(read(mandateId, 'usr_eve')).rejects.toMatchObject({ reason: 'MANDATE_NOT_FOUND' });
      await expect(revoke(mandateId, 'usr_eve')).rejects.toMatchObject({ reason: 'MANDATE_NOT_FOUND' });
    }
    const [byEve, unknown] = [await collect(id, { callerId: 'usr_eve' }), await collect(none)];
    const shown = ({ decision: { id: _, decidedAt: __, ...rest } }: typeof byEve) => rest;
    expect(shown(byEve)).toEqual(shown(unknown));
    expect(byEve.decision).toMatchObject({ code: 'MANDATE_NOT_FOUND', fromOwnerId: '', toOwnerId: '' });
  });

  it('do not revoke it, though they may read it', async () => {
    const { id } = await make();
    await expect(revoke(id, 'usr_bob', 'customer')).rejects.toMatchObject({ reason: 'ACTION_NOT_ALLOWED' });
    await expect(revoke(id, 'usr_auditor', 'auditor')).rejects.toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
    expect((await read(id)).state).toBe(MandateState.ACTIVE);
  });

  it('may be operators, who revoke it for a payer without access, and are named in it', async () => {
    const { id } = await make();
    expect(await revoke(id, 'usr_op', 'operator')).toMatchObject({ state: MandateState.REVOKED });
    expect((await collect(id)).decision.code).toBe('MANDATE_NOT_ACTIVE');
    const { mandate } = await rpc.getMandate({ mandateId: id }, await as('usr_auditor', 'auditor'));
    expect(mandate?.revokedBy).toMatchObject({ actorId: 'usr_op' });
  });
});

describe('a collection', () => {
  it('moves money and counts in the mandate, until its limit', async () => {
    const { id } = await make({ dailyMinor: 250n });
    expect((await collect(id)).code).toBe('');
    expect((await collect(id)).code).toBe('');
    const declined = await collect(id);
    expect(declined.decision).toMatchObject({
      code: 'MANDATE_LIMIT_EXCEEDED',
      limit: { limit: 250n, used: 200n, resetsAt: new Date('2025-03-30T22:00:00Z') },
    });
    expect((await read(id)).usage).toEqual({ dailyMinor: 200n, monthlyMinor: 200n });
    expect((await accountOf(service, bob)).balance.postedMinor).toBe(200n);
    await expectBooksToBalance(service);
  });

  it('that is repeated gets its first decision, and counts once', async () => {
    const { id } = await make();
    const { payment, decision } = await collect(id);
    await revoke(id);
    expect((await service.authorize(payment))[0]?.decision).toEqual(decision);
    expect((await read(id)).usage?.dailyMinor).toBe(100n);
  });

  it('under other mandates is another request', async () => {
    const [one, other] = [await make(), await make()];
    const { payment } = await collect(one.id);
    const [reused] = await service.authorize({ ...payment, mandateId: other.id });
    expect(reused?.error).toBeDefined();
  });

  it('counts by the day and month of the payer', async () => {
    const { id } = await make({ dailyMinor: 100n, monthlyMinor: 250n });
    expect((await collect(id)).code).toBe('');
    // Midnight in Berlin, half an hour later. In UTC it is the same day.
    now = new Date('2025-03-30T22:00:00Z');
    expect((await read(id)).usage).toEqual({ dailyMinor: 0n, monthlyMinor: 100n });
    expect((await collect(id)).code).toBe('');
    expect((await collect(id)).code).toBe('MANDATE_LIMIT_EXCEEDED');
    now = new Date('2025-03-31T22:00:00Z');
    expect((await read(id)).usage).toEqual({ dailyMinor: 0n, monthlyMinor: 0n });
    expect((await collect(id)).code).toBe('');
  });

  it('is declined from the end of the mandate on', async () => {
    const { id, validUntil } = await make();
    now = new Date((validUntil as Date).getTime() - 1);
    expect((await collect(id)).code).toBe('');
    now = validUntil as Date;
    expect((await collect(id)).code).toBe('MANDATE_NOT_ACTIVE');
    expect((await read(id)).state).toBe(MandateState.EXPIRED);
  });

  it('is declined after the revocation, which is final and can be repeated', async () => {
    const { id } = await make();
    const revoked = await revoke(id);
    expect(revoked).toMatchObject({ state: MandateState.REVOKED, revokedAt: now });
    now = new Date(now.getTime() + HOUR_MS);
    expect(await revoke(id)).toEqual(revoked);
    expect((await collect(id)).code).toBe('MANDATE_NOT_ACTIVE');
    await expect(service.sql('update mandates set revoked_at = null, revoked_by = null')).rejects.toThrow(
      /stays so/,
    );
  });

  it('of an operator for the payee is made by the mandate too', async () => {
    const { id } = await make({ dailyMinor: 100n });
    const asOperator = { callerId: 'usr_op', callerRoles: [Role.OPERATOR] };
    expect((await collect(id, asOperator)).code).toBe('');
    expect((await collect(id, asOperator)).code).toBe('MANDATE_LIMIT_EXCEEDED');
  });

  it('in one batch with others sees what they used', async () => {
    const { id } = await make({ dailyMinor: 250n });
    const payments = times(5, () => item({ ...way(), callerId: 'usr_bob', mandateId: id }));
    const own = item(way());
    const answers = await service.authorize(own, ...payments);
    const codes = answers.map(({ decision }) => decision?.code);
    expect(codes).toEqual(['', '', '', ...times(3, () => 'MANDATE_LIMIT_EXCEEDED')]);
  });
});

describe('a held collection', () => {
  it('gives back to the mandate what is cancelled', async () => {
    const { id } = await make({ dailyMinor: 100n });
    const { payment } = await hold(id);
    expect((await read(id)).usage?.dailyMinor).toBe(100n);
    expect((await collect(id)).code).toBe('MANDATE_LIMIT_EXCEEDED');
    await service.cancel(payment.paymentId);
    expect((await read(id)).usage).toEqual({ dailyMinor: 0n, monthlyMinor: 0n });
    expect((await collect(id)).code).toBe('');
  });

  it('gives back what expires, and the rest of a final capture', async () => {
    const { id } = await make();
    const [expiring, captured] = [await hold(id), await hold(id)];
    await service.capture(captureOf(captured.payment.paymentId, { amountMinor: 30n, final: true }));
    expect((await read(id)).usage?.dailyMinor).toBe(130n);
    now = new Date(now.getTime() + 2 * HOUR_MS);
    await service.expire(expiring.payment.paymentId);
    // The next day in Berlin: only the month has anything to give back.
    expect((await read(id)).usage).toEqual({ dailyMinor: 0n, monthlyMinor: 30n });
    await expectBooksToBalance(service);
  });

  it('can be captured after the revocation, because the money was held before', async () => {
    const { id } = await make();
    const { payment } = await hold(id);
    await revoke(id);
    const { decision } = await service.capture(captureOf(payment.paymentId));
    expect(decision?.code).toBe('');
  });
});

describe('a simulation', () => {
  const simulate = async (mandateId: string, change: Partial<AuthorizeItem> = {}) => {
    const simulated = item({ ...way(), callerId: 'usr_bob', mandateId, ...change });
    const asService = { deadlineMs: PATIENCE_MS };
    return (await service.authorizationRpc.simulateAuthorization({ item: simulated }, asService)).decision;
  };

  it('tells the payee only about the mandate, and uses nothing', async () => {
    const { id } = await make({ perPaymentMinor: 50_000n });
    const beyondBalance = await simulate(id, { amountMinor: 20_000n });
    expect(beyondBalance).toMatchObject({ code: '', movements: [] });
    expect(beyondBalance?.checks.map(({ name }) => name)).toEqual([
      'mandate',
      'mandate_state',
      'mandate.per_payment',
    ]);
    expect((await simulate(id, { amountMinor: 50_001n }))?.code).toBe('MANDATE_LIMIT_EXCEEDED');
    expect((await simulate(newId('man')))?.code).toBe('MANDATE_NOT_FOUND');
    const asOperator = { callerId: 'usr_op', callerRoles: [Role.OPERATOR], amountMinor: 20_000n };
    expect((await simulate(id, asOperator))?.code).toBe('INSUFFICIENT_BALANCE');
    expect((await read(id)).usage?.dailyMinor).toBe(0n);
  });
});

describe('the list', () => {
  const NO_FILTER = { accountId: '', fromAccount: '', toAccount: '', state: 0, reference: '' } as const;
  type Filter = Partial<Parameters<typeof rpc.listMandates>[0]>;
  const list = async (filter: Filter, caller: string, ...roles: RoleName[]) => {
    const ids: string[] = [];
    let pageToken = '';
    do {
      const request = { ...NO_FILTER, createdAfter: undefined, createdBefore: undefined, ...filter };
      const page = await rpc.listMandates({ ...request, pageSize: 2, pageToken }, await as(caller, ...roles));
      ids.push(...page.mandates.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return ids;
  };

  it('has the mandates of both sides, newest first, each once, and only those of the caller', async () => {
    const [payer, payee] = [newId('usr'), newId('usr')];
    const from = await openAccount(service, { ownerId: payer });
    const other = await openAccount(service, { ownerId: payer });
    const to = await openAccount(service, { ownerId: payee });
    const elsewhere = await openAccount(service, { ownerId: newId('usr') });
    const open = async (fromAccount: string, toAccount: string, by: string, more: Change = {}) => {
      now = new Date(now.getTime() + 1_000);
      return (await openMandate(service, { fromAccount, toAccount, now, ...more }, { payer: by })).id;
    };
    const made = [
      await open(from, to, payer),
      await open(other, to, payer, { reference: 'rent' }),
      await open(from, elsewhere, payer),
      await open(to, from, payee),
      await open(from, to, payer, { validUntil: new Date(now.getTime() + 1_500) }),
    ];
    await make();
    const [first, second, third, fourth, short] = made as [string, string, string, string, string];
    await rpc.revokeMandate({ mandateId: first }, await as(payer));
    now = new Date(now.getTime() + 10_000);

    expect(await list({}, payer)).toEqual([short, fourth, third, second, first]);
    expect(await list({}, payee)).toEqual([short, fourth, second, first]);
    expect(await list({}, newId('usr'))).toEqual([]);
    expect(await list({ accountId: from }, payer)).toEqual([short, fourth, third, first]);
    expect(await list({ accountId: from }, payee)).toEqual([short, fourth, first]);
    expect(await list({ accountId: from }, 'usr_op', 'operator')).toEqual([short, fourth, third, first]);
    expect(await list({ fromAccount: other }, payee)).toEqual([second]);
    expect(await list({ toAccount: to }, payer)).toEqual([short, second, first]);
    expect(await list({ fromAccount: from, toAccount: to }, payer)).toEqual([short, first]);
    expect(await list({ reference: 'rent' }, payee)).toEqual([second]);
    expect(await list({ state: MandateState.REVOKED }, payer)).toEqual([first]);
    expect(await list({ state: MandateState.EXPIRED }, payer)).toEqual([short]);
    expect(await list({ state: MandateState.ACTIVE }, payer)).toEqual([fourth, third, second]);
    const createdAfter = new Date(EVENING.getTime() + 2_000);
    const createdBefore = new Date(EVENING.getTime() + 4_000);
    expect(await list({ createdAfter, createdBefore }, payer)).toEqual([third, second]);
    await expect(list({ state: 9 as MandateState }, payer)).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });
});
