/** Rows that an outside session holds locked for long: only their own steps wait. */
import { fromRpcStatus } from '@payflowx/chassis';
import { eventually } from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance } from './books.ts';
import {
  type Answer,
  accountOf,
  captureOf,
  item,
  openAccount,
  openMandate,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

let service: RunningService;
let unlock: () => Promise<void> = async () => {};
beforeAll(async () => {
  service = await startService();
});
afterEach(() => unlock());
afterAll(() => service.stop());

async function lock(table: 'balances' | 'holds' | 'mandates', key: string, id: string) {
  const release = await service.lock(`select from ${table} where ${key} = $1 for update`, [id]);
  unlock = async () => {
    unlock = async () => {};
    await release();
  };
}

const open = async () => ({
  fromAccount: await openAccount(service, { balance: 1_000n }),
  toAccount: await openAccount(service, { ownerId: 'usr_bob' }),
});

/** '' is an approval. */
const outcome = ({ decision, error }: Answer) => (error ? fromRpcStatus(error).reason : decision.code);

async function hold(accounts: Awaited<ReturnType<typeof open>>) {
  const payment = item({ ...accounts, captureMode: CaptureMode.MANUAL });
  const [held] = await service.authorize(payment);
  expect(held?.decision?.code).toBe('');
  return payment.paymentId;
}

describe('a payer whose row is locked', () => {
  it('is refused as busy while other payments of the call are decided, and is decided once the row is free', async () => {
    const [mine, others] = [await open(), await open()];
    await lock('balances', 'account_id', mine.fromAccount);
    const payment = item(mine);
    const together = await service.authorize(item(others), payment, item(others));
    expect(together.map(outcome)).toEqual(['', 'ACCOUNT_BUSY', '']);
    // The other account of the payment is locked with it, and by then the row is known to be locked.
    const reversed = item({ fromAccount: others.fromAccount, toAccount: mine.fromAccount });
    expect((await service.authorize(reversed, item(others))).map(outcome)).toEqual(['ACCOUNT_BUSY', '']);
    expect((await accountOf(service, others.toAccount)).balance.postedMinor).toBe(300n);

    await unlock();
    await eventually(async () => expect((await service.authorize(payment)).map(outcome)).toEqual(['']));
    expect((await accountOf(service, mine.toAccount)).balance.postedMinor).toBe(100n);
    await expectBooksToBalance(service);
  });

  it('is refused captures, releases and refunds alike, while holds of other payers are captured', async () => {
    const [mine, others] = [await open(), await open()];
    const [locked, free] = [await hold(mine), await hold(others)];
    await lock('balances', 'account_id', mine.fromAccount);
    const busy = { reason: 'ACCOUNT_BUSY' };
    const { fromAccount: toAccount, toAccount: fromAccount } = mine;
    const [capture, cancel, refund, captured] = await Promise.allSettled([
      service.capture(captureOf(locked)),
      service.cancel(locked),
      service.refund(refundOf({ fromAccount, toAccount })),
      service.capture(captureOf(free)),
    ]);
    expect([capture, cancel, refund]).toMatchObject([{ reason: busy }, { reason: busy }, { reason: busy }]);
    expect(captured).toMatchObject({ value: { decision: { code: '' } } });

    await unlock();
    await eventually(() => service.cancel(locked));
    expect((await accountOf(service, mine.fromAccount)).balance.heldMinor).toBe(0n);
    await expectBooksToBalance(service);
  });
});

describe('a hold whose row is locked', () => {
  it('delays its own capture, but neither its accounts nor other holds', async () => {
    const accounts = await open();
    const [locked, free] = [await hold(accounts), await hold(accounts)];
    await lock('holds', 'payment_id', locked);
    const [refused, captured, paid] = await Promise.allSettled([
      service.capture(captureOf(locked)),
      service.capture(captureOf(free)),
      service.authorize(item(accounts)),
    ]);
    expect(refused).toMatchObject({ reason: { reason: 'ACCOUNT_BUSY' } });
    expect(captured).toMatchObject({ value: { decision: { code: '' } } });
    expect(paid).toMatchObject({ value: [{ decision: { code: '' } }] });

    await unlock();
    await eventually(() => service.capture(captureOf(locked)));
    expect((await accountOf(service, accounts.toAccount)).balance.postedMinor).toBe(300n);
    await expectBooksToBalance(service);
  });
});

describe('a mandate whose row is locked', () => {
  it('delays collections and releases by it, but neither its payer nor other mandates', async () => {
    const accounts = await open();
    const [locked, free] = [await openMandate(service, accounts), await openMandate(service, accounts)];
    const collection = ({ id: mandateId }: typeof locked, captureMode: CaptureMode = CaptureMode.AUTOMATIC) =>
      item({ ...accounts, callerId: 'usr_bob', mandateId, captureMode });
    const held = collection(locked, CaptureMode.MANUAL);
    expect((await service.authorize(held)).map(outcome)).toEqual(['']);
    await lock('mandates', 'id', locked.id);
    const refused = collection(locked);
    const together = await service.authorize(collection(free), refused, item(accounts));
    expect(together.map(outcome)).toEqual(['', 'ACCOUNT_BUSY', '']);
    await expect(service.cancel(held.paymentId)).rejects.toMatchObject({ reason: 'ACCOUNT_BUSY' });

    await unlock();
    await eventually(async () => expect((await service.authorize(refused)).map(outcome)).toEqual(['']));
    await eventually(() => service.cancel(held.paymentId));
    expect((await accountOf(service, accounts.toAccount)).balance.postedMinor).toBe(300n);
    await expectBooksToBalance(service);
  });
});
