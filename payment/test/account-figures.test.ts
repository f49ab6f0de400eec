import { status } from '@grpc/grpc-js';
import { type Caller, newId } from '@payflowx/chassis';
import { MovementKind, Outcome } from '@payflowx/proto/authorization';
import { type AccountFigures, PaymentEventType, PaymentKind } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lifecycleOf } from './lifecycle.ts';
import { CALL, outbox, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
const service: Caller = { id: 'svc_ledger', roles: ['service'] };

beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());
afterEach(() => platform.authorization.answerWith(undefined));

async function figures({ pageSize = 0, accountIds = [] as string[], as = service } = {}) {
  const all: AccountFigures[] = [];
  let pageToken = '';
  do {
    const settings = { ...CALL, accessToken: await platform.tokenOf(as) };
    const page = await platform.client.listAccountFigures({ pageSize, pageToken, accountIds }, settings);
    all.push(...page.accounts);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}

const declineAs = (code: string) =>
  platform.authorization.answerWith(({ fromAccount }) => ({
    result: {
      $case: 'decision',
      value: {
        outcome: Outcome.DECLINED,
        code,
        message: `Declined: ${code}.`,
        limit: undefined,
        checks: [],
        movements: [],
        fromOwnerId: platform.ownerOf(fromAccount),
        toOwnerId: '',
        decidedAt: new Date(),
        id: newId('dec'),
        holdExpiresAt: undefined,
      },
    },
  }));

/** One payment for each possible course of a payment. */
async function createPaymentsOfEveryKind(): Promise<void> {
  const captured = await life.hold();
  await life.capture(captured.id, { amountMinor: 300n });
  await life.capture(captured.id, { amountMinor: 100n });
  const partly = await life.hold();
  await life.capture(partly.id, { amountMinor: 250n, final: true });
  await life.cancel((await life.hold()).id);
  const { id } = await life.pay();
  await life.refund(id, { amountMinor: 40n });
  await life.refund(id, { amountMinor: 60n });
  await life.pay({ fromAccount: platform.accountOf(platform.customer), amountMinor: 77n });

  const expiring = [await life.hold({ holdSeconds: 600 }), await life.hold({ holdSeconds: 600 })];
  await life.capture(expiring[0]?.id ?? '', { amountMinor: 5n });
  platform.authorization.advanceClock(3_600_000);
  await platform.expire(3_600_000);
  platform.authorization.advanceClock(0);
  await life.hold();

  const operator = await life.callAs(platform.operator);
  const money = { requestId: newId('req'), amountMinor: 5_000n, currency: 'EUR', reference: '' };
  await platform.client.createDeposit(
    { ...money, accountId: platform.accountOf(platform.customer) },
    operator,
  );
  await platform.client.createWithdrawal(
    { ...money, requestId: newId('req'), accountId: platform.accountOf(platform.customer) },
    operator,
  );
  declineAs('INSUFFICIENT_BALANCE');
  await life.pay();
  declineAs('FROM_ACCOUNT_NOT_FOUND');
  await life.pay().catch(() => undefined);
  platform.authorization.answerWith(undefined);
}

/** The figures of ledger, analytics and notification, computed from the published events. */
async function figuresFromEvents() {
  const accounts = new Map<string, AccountFigures>();
  const of = (accountId: string, currency: string) => {
    const known = accounts.get(accountId) ?? {
      accountId,
      currency,
      postedMinor: 0n,
      heldMinor: 0n,
      sentMinor: 0n,
      receivedMinor: 0n,
      notificationCount: 0n,
      pendingCount: 0n,
    };
    accounts.set(accountId, known);
    return known;
  };
  for (const { destination, event } of await outbox(platform.db)) {
    const { payment } = event;
    if (!payment) throw new Error('no payment in it');
    const sender = of(payment.fromAccount, payment.currency);
    const receiver = of(payment.toAccount, payment.currency);
    sender.pendingCount += 1n;
    receiver.pendingCount += 1n;
    if (destination === 'payment-notifications') {
      if (event.fromOwnerId !== '') sender.notificationCount += 1n;
      const isHeard = event.toOwnerId !== '' && event.type !== PaymentEventType.FAILED;
      if (isHeard) receiver.notificationCount += 1n;
      continue;
    }
    for (const { kind, fromAccount, toAccount, amountMinor } of event.movements) {
      const from = of(fromAccount, payment.currency);
      const to = of(toAccount, payment.currency);
      if (kind === MovementKind.HOLD) from.heldMinor += amountMinor;
      if (kind === MovementKind.RELEASE) from.heldMinor -= amountMinor;
      if (kind !== MovementKind.TRANSFER) continue;
      from.postedMinor -= amountMinor;
      to.postedMinor += amountMinor;
      if (payment.kind !== PaymentKind.PAYMENT || fromAccount !== payment.fromAccount) continue;
      from.sentMinor += amountMinor;
      to.receivedMinor += amountMinor;
    }
  }
  return [...accounts.values()]
    .map((account) => ({
      ...account,
      sentSum: account.sentMinor.toString(),
      receivedSum: account.receivedMinor.toString(),
    }))
    .sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
}

describe('account figures', () => {
  it('equal the figures that consumers compute from events, for payments in all states, page by page', async () => {
    await createPaymentsOfEveryKind();
    const expected = await figuresFromEvents();
    expect(await figures()).toEqual(expected);
    for (const pageSize of [1, 7]) expect(await figures({ pageSize })).toEqual(expected);
    const some = expected.filter((_, index) => index % 3 === 0);
    const accountIds = some.map(({ accountId }) => accountId).reverse();
    expect(await figures({ accountIds: [...accountIds, 'acct_none'], pageSize: 2 })).toEqual(some);
    expect(expected.some(({ heldMinor }) => heldMinor > 0n)).toBe(true);
    expect(expected.find(({ accountId }) => accountId === 'external:EUR')).toMatchObject({
      sentMinor: 0n,
      receivedMinor: 0n,
      notificationCount: 0n,
    });
  });

  it('count nothing as pending once everything has an outcome and is published', async () => {
    await sql`delete from outbox`.execute(platform.db);
    expect((await figures()).filter(({ pendingCount }) => pendingCount > 0n)).toEqual([]);
  });

  it('count a payment as pending while authorization may have decided it already', async () => {
    let answer = () => {};
    platform.authorization.holdAnswersUntil(new Promise((resolve) => (answer = resolve)));
    const fromAccount = platform.accountOf(platform.customer);
    const paying = life.pay({ fromAccount });
    await expect.poll(() => platform.authorization.asked.at(-1)?.fromAccount).toBe(fromAccount);
    await sql`delete from outbox`.execute(platform.db);
    expect(await figures({ accountIds: [fromAccount] })).toMatchObject([
      { postedMinor: 0n, pendingCount: 1n },
    ]);
    answer();
    await paying;

    const held = await life.hold({ fromAccount });
    platform.authorization.holdAnswersUntil(new Promise((resolve) => (answer = resolve)));
    const capturing = life.capture(held.id);
    await expect.poll(() => platform.authorization.steps.at(-1)?.request.paymentId).toBe(held.id);
    await sql`delete from outbox`.execute(platform.db);
    expect(await figures({ accountIds: [fromAccount] })).toMatchObject([
      { heldMinor: 1_000n, pendingCount: 1n },
    ]);
    answer();
    await capturing;
  });

  it('are for services only', async () => {
    for (const as of [platform.customer, platform.operator, platform.auditor]) {
      await expect(figures({ as })).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    }
  });
});
