/** The order in which idempotency keys are taken. Two flushes with common keys in different orders would deadlock. */
import { sessionOf, untilBlocked } from '@payflowx/chassis/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KeyedStep, takeKeys } from '../src/store/idempotency-keys.ts';
import { type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.stop());

const step = (requestId: string): KeyedStep => ({
  callerId: 'usr_1',
  requestId,
  operation: 'CapturePayment',
  fingerprint: Buffer.alloc(32),
  paymentId: 'pay_1',
  operationId: `op_${requestId}`,
});

it('keys are taken in one order, however they were requested', async () => {
  const { db } = platform;
  const first = await db.startTransaction().execute();
  await takeKeys(first, [step('a')], new Date());
  const session = Promise.withResolvers<number>();
  const waiting = db.transaction().execute(async (trx) => {
    session.resolve(await sessionOf(trx));
    await sql`set local lock_timeout = '60s'`.execute(trx);
    return takeKeys(trx, [step('b'), step('a')], new Date());
  });
  await untilBlocked(db, session.promise);
  // It waits for the first key, and has not taken the second one.
  const other = await db.startTransaction().execute();
  await sql`set local lock_timeout = '1s'`.execute(other);
  const taken = await takeKeys(other, [step('b')], new Date()).catch((error: Error) => error.message);
  await other.rollback().execute();
  await first.rollback().execute();
  expect(await waiting).toEqual(new Set(['op_a', 'op_b']));
  expect(taken).toEqual(new Set(['op_b']));
});
