import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  eventually,
  PATIENCE_MS,
  type TestDatabase,
  testLog,
} from '@payflowx/chassis/testing';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { awaitEarlierSteps, splitByOrder } from '../src/app/order-steps.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import type { PaymentStep } from '../src/domain/notice.ts';
import type { Database } from '../src/store/database.ts';
import { step } from './mail-platform.ts';

let database: TestDatabase;
let db: Kysely<Database>;
beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 8 }, testLog);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** As one of several instances does. A busy machine must not end the wait. */
const record = (...steps: PaymentStep[]) =>
  recordSteps({ db, wake: () => {}, orderWaitMs: PATIENCE_MS }, steps);

/** The steps of one payment, from version 2 on. */
function stepsOf(count: number, occurredAt = new Date()): PaymentStep[] {
  const [paymentId, payer, payee] = [newId('pay'), newId('usr'), newId('usr')];
  return Array.from({ length: count }, (_, index) =>
    step(payer, payee, {
      ...{ paymentId, occurredAt, version: BigInt(index + 2) },
      type: index === 0 ? 'payment.authorized' : 'payment.captured',
    }),
  );
}

/** The ids of the payment's events, in the order in which a stream shows them. */
async function streamed({ paymentId }: PaymentStep): Promise<string[]> {
  const rows = await db
    .selectFrom('events')
    .select('id')
    .where('payment_id', '=', paymentId)
    .orderBy('position')
    .execute();
  return rows.map(({ id }) => id);
}
const idsOf = (steps: readonly PaymentStep[]) => steps.map(({ eventId }) => eventId);

it('the steps of a payment that several instances get in any order are streamed in their order', async () => {
  const payments = Array.from({ length: 10 }, () => stepsOf(4));
  await Promise.all(
    payments.flatMap((steps) =>
      steps.map(async (each, index) => {
        // The later the step, the sooner it arrives.
        await new Promise((resolve) => setTimeout(resolve, (4 - index) * 60 * Math.random()));
        await record(each);
      }),
    ),
  );
  for (const steps of payments) expect(await streamed(steps[0] as PaymentStep)).toEqual(idsOf(steps));
});

it('a step in the middle that is missing holds up the later ones of its batch', async () => {
  const steps = stepsOf(3);
  const [first, second, third] = steps as [PaymentStep, PaymentStep, PaymentStep];
  expect(await splitByOrder(db, [third, first])).toEqual({ ready: [first], early: [third] });
  await record(first);
  expect(await splitByOrder(db, [third])).toEqual({ ready: [], early: [third] });
  await record(second);
  expect(await splitByOrder(db, [third, second])).toEqual({ ready: [second, third], early: [] });
});

it('steps of one batch are stored in the order of their payment, and a step that is early holds up no other payment', async () => {
  const [a, b, other] = [stepsOf(3), stepsOf(2), stepsOf(1)] as const;
  const storing = record(...a.toReversed(), b[1] as PaymentStep, ...other);
  await eventually(async () => expect(await streamed(other[0] as PaymentStep)).toEqual(idsOf(other)));
  expect(await streamed(a[0] as PaymentStep)).toEqual(idsOf(a));
  expect(await streamed(b[0] as PaymentStep)).toEqual([]);
  await record(b[0] as PaymentStep);
  await storing;
  expect(await streamed(b[0] as PaymentStep)).toEqual(idsOf(b));
});

it('a step whose earlier one does not arrive is stored after a moment', async () => {
  const [, later] = stepsOf(2) as [PaymentStep, PaymentStep];
  await awaitEarlierSteps(db, [later], 100);
  await recordSteps({ db, wake: () => {}, orderWaitMs: 50 }, [later]);
  expect(await streamed(later)).toEqual([later.eventId]);
});

it('an old step that is published again does not wait, nor does one of an earlier version', async () => {
  const old = stepsOf(3, new Date(Date.now() - 3_600_000));
  expect(await splitByOrder(db, old.slice(1))).toEqual({ ready: old.slice(1), early: [] });
  const [, unknown] = stepsOf(2) as [PaymentStep, PaymentStep];
  const withoutVersion = { ...unknown, version: 0n };
  expect(await splitByOrder(db, [withoutVersion])).toEqual({ ready: [withoutVersion], early: [] });
});
