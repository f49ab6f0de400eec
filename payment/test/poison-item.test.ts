/** An item that the database does not accept fails alone, in every step that writes. */
import { newId } from '@payflowx/chassis';
import { testLog } from '@payflowx/chassis/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type AcceptOperationDeps,
  acceptOperations,
  type OperationRequest,
} from '../src/app/accept-operations.ts';
import { type AcceptDeps, type AcceptRequest, acceptPayments } from '../src/app/accept-payments.ts';
import { type SettleOperationDeps, settleOperations } from '../src/app/settle-operations.ts';
import { type SettleDeps, settlePayments } from '../src/app/settle-payments.ts';
import { NO_NOTES } from '../src/domain/operation.ts';
import { toPaymentOrder } from '../src/domain/order.ts';
import type { Decision } from '../src/domain/payment.ts';
import { APPROVED, acceptStep, lifecycleOf } from './lifecycle.ts';
import { CALL, type Platform, paymentRequest, startPlatform } from './payment-platform.ts';

/** Text in Postgres cannot contain it. */
const NUL = '\0';
const COUNT = 20;
const POISON = 7;

let platform: Platform;
let deps: AcceptDeps & SettleDeps & AcceptOperationDeps & SettleOperationDeps;
beforeAll(async () => {
  platform = await startPlatform();
  deps = {
    db: platform.db,
    log: testLog,
    now: () => new Date(),
    newId,
    holdMs: 60_000,
    recoverAfterMs: 60_000,
  };
});
afterAll(() => platform?.stop());

const each = <T>(make: (n: number) => T) => Array.from({ length: COUNT }, (_, n) => make(n));
const onlyPoisonFails = each((n) => n !== POISON);
const SOON = () => new Date(Date.now() + CALL.deadlineMs);
/** A decision whose text cannot be stored. */
const UNSTORABLE: Decision = { ...APPROVED, failure: { code: 'X', message: NUL } };
const decisionOf = (n: number) => (n === POISON ? UNSTORABLE : APPROVED);

function creation(description: string): AcceptRequest {
  const order = toPaymentOrder({ ...paymentRequest(), captureMode: 'AUTOMATIC', captureBy: 'PAYER' });
  const origin = { caller: platform.customer, requestId: newId('req'), traceparent: '' };
  const operation = 'CreatePayment';
  return { operation, order: { ...order, description }, origin, deadline: SOON(), isRetry: false };
}

it('a payment cannot be accepted or settled: the others of its flush are', async () => {
  const accepted = await acceptPayments(
    deps,
    each((n) => creation(n === POISON ? NUL : 'Lunch')),
  );
  expect(accepted.map(({ ok }) => ok)).toEqual(onlyPoisonFails);

  const others = await acceptPayments(
    deps,
    each(() => creation('Lunch')),
  );
  const settled = await settlePayments(
    deps,
    others.map((result, n) => {
      if (!result.ok) throw result.error;
      return { payment: result.value.payment, decision: decisionOf(n) };
    }),
  );
  expect(settled.map(({ ok }) => ok)).toEqual(onlyPoisonFails);
});

it('an operation cannot be accepted or settled: the others of its flush are', async () => {
  const life = lifecycleOf(platform);
  const held = await Promise.all(each(async () => (await life.hold()).id));
  const request = (paymentId: string, n: number): OperationRequest => ({
    paymentId,
    terms: {
      kind: 'CANCEL',
      amountMinor: undefined,
      final: false,
      reason: n === POISON ? NUL : 'changed',
      notes: NO_NOTES,
    },
    caller: platform.customer,
    requestId: newId('req'),
    traceparent: '',
    deadline: SOON(),
    isRetry: false,
  });
  const accepted = await acceptOperations(deps, held.map(request));
  expect(accepted.map(({ ok }) => ok)).toEqual(onlyPoisonFails);

  const captured = await Promise.all(each(async () => (await life.hold()).id));
  const begun = await Promise.all(captured.map((id) => acceptStep(platform, id)));
  const settled = await settleOperations(
    deps,
    begun.map(({ begun: { operation } }, n) => ({ operation, decision: decisionOf(n) })),
  );
  expect(settled.map(({ ok }) => ok)).toEqual(onlyPoisonFails);
  const { rows } = await sql<{ id: string }>`
    select payment_id as id from operations where payment_id = any(${captured}) and state = 'PENDING'`.execute(
    platform.db,
  );
  expect(rows).toEqual([{ id: captured[POISON] }]);
});
