import { status } from '@grpc/grpc-js';
import { newId } from '@payflowx/chassis';
import { MovementKind } from '@payflowx/proto/authorization';
import { type AccountFigures, PaymentKind } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMandate } from './collections.ts';
import { lifecycleOf } from './lifecycle.ts';
import { CALL, FUNDS, outbox, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;

beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

async function figures({ pageSize = 0, accountIds = [] as string[] } = {}) {
  const all: AccountFigures[] = [];
  let pageToken = '';
  do {
    const page = await platform.ledger.listAccountFigures({ pageSize, pageToken, accountIds }, CALL);
    all.push(...page.accounts);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}

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
  await life.pay({ amountMinor: 77n });

  const expiring = [await life.hold({ holdSeconds: 600 }), await life.hold({ holdSeconds: 600 })];
  await life.capture(expiring[0]?.id ?? '', { amountMinor: 5n });
  platform.authorization.setClockAhead(3_600_000);
  await platform.expire(3_600_000);
  platform.authorization.setClockAhead(0);
  await life.hold();
  const { collect } = await openMandate(platform);
  await collect();
  await collect({ amountMinor: 2n * FUNDS });

  const operator = await life.callAs(platform.operator);
  const money = { requestId: newId('req'), amountMinor: 5_000n, currency: 'EUR', reference: '' };
  await platform.client.createDeposit(
    { ...money, accountId: await platform.accountOf(platform.customer) },
    operator,
  );
  await platform.client.createWithdrawal(
    { ...money, requestId: newId('req'), accountId: await platform.accountOf(platform.customer) },
    operator,
  );
  expect((await life.pay({ amountMinor: FUNDS + 1n })).failure?.code).toBe('INSUFFICIENT_BALANCE');
  const foreign = life.pay({ fromAccount: await platform.accountOf(platform.otherCustomer) });
  await expect(foreign).rejects.toMatchObject({ reason: 'FROM_ACCOUNT_NOT_FOUND' });
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
      // Of a declined attempt, only one by a mandate names its receiver.
      if (event.toOwnerId !== '') receiver.notificationCount += 1n;
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
    const fromAccount = await platform.accountOf(platform.customer);
    let answer = platform.authorization.holdAnswers();
    const paying = life.pay({ fromAccount });
    await expect.poll(() => platform.authorization.asked.at(-1)?.fromAccount).toBe(fromAccount);
    await sql`delete from outbox`.execute(platform.db);
    expect(await figures({ accountIds: [fromAccount] })).toMatchObject([
      { postedMinor: 0n, pendingCount: 1n },
    ]);
    answer();
    await paying;

    const held = await life.hold({ fromAccount });
    answer = platform.authorization.holdAnswers();
    const capturing = life.capture(held.id);
    await expect.poll(() => platform.authorization.steps.at(-1)?.request.paymentId).toBe(held.id);
    await sql`delete from outbox`.execute(platform.db);
    expect(await figures({ accountIds: [fromAccount] })).toMatchObject([
      { heldMinor: 1_000n, pendingCount: 1n },
    ]);
    answer();
    await capturing;
  });

  it('are not for users', async () => {
    const whole = { pageSize: 0, pageToken: '', accountIds: [] };
    for (const who of [platform.customer, platform.operator, platform.auditor]) {
      const refused = platform.user.listAccountFigures(whole, await life.callAs(who));
      await expect(refused).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    }
  });
});
