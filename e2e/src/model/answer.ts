/** Compares a response of the platform with the model. */
import { PayFlowXError } from '@payflowx/client';
import type { Payment, Refund } from '../platform.ts';
import type { Span } from './account-history.ts';
import {
  allowedActions,
  expire,
  heldOf,
  type Operation,
  type PaymentModel,
  type Refusal,
} from './payment-model.ts';
import { expectSame } from './played.ts';

/** A response, with the time at which its outcome was decided. */
export interface Outcome<T = unknown> extends Span {
  data: T | undefined;
  error: PayFlowXError | undefined;
}

/** Rejects if there is no response: the client retries for a minute. */
export async function outcomeOf<T>(send: () => Promise<{ data: T }>): Promise<Outcome<T>> {
  const from = Date.now();
  try {
    const { data } = await send();
    return { data, error: undefined, from, to: Date.now() };
  } catch (error) {
    if (!(error instanceof PayFlowXError) || error.status === 0) throw error;
    return { data: undefined, error, from, to: Date.now() };
  }
}

/** A payment as it must be after its decision. */
export function begun(kind: PaymentModel['kind'], payment: Payment): PaymentModel {
  const { amount, capture, failure } = payment;
  const held = capture === 'manual' && !failure;
  const notified = failure
    ? { payment: 1, withdrawal: 1, deposit: 0 }
    : { payment: 2, withdrawal: 1, deposit: 1 };
  return {
    kind,
    state: failure ? 'FAILED' : held ? 'AUTHORIZED' : 'COMPLETED',
    from: payment.from_account,
    to: payment.to_account,
    amount,
    captured: held || failure ? 0 : amount,
    refunded: 0,
    released: 0,
    expiresAt: held ? Date.parse(payment.expires_at ?? '') : undefined,
    version: 2,
    notified: notified[kind],
  };
}

/**
 * The possible states of the payment at the time of the request. After its end, the hold may have expired. Authorization then
 * refuses captures, but a cancel can still win against the expiry.
 */
export function possibleStarts(
  model: PaymentModel,
  { name }: Operation,
  { from, to, error }: Outcome,
): PaymentModel[] {
  if (model.expiresAt === undefined || heldOf(model) === 0) return [model];
  const mustHaveExpired = name === 'capture' && !error && from > model.expiresAt;
  const mayHaveExpired = to >= model.expiresAt;
  return [...(mustHaveExpired ? [] : [model]), ...(mayHaveExpired ? [expire(model)] : [])];
}

/** Declined because of an account. The payment is unchanged. */
export function declineOf({ name }: Operation, { error }: Outcome): string | undefined {
  if (name === 'refund' && error?.status === 402) return error.code;
  if (name === 'capture' && error?.code === 'TO_ACCOUNT_NOT_ACTIVE') return error.code;
  return undefined;
}

export function isThisRefusal({ error }: Outcome, model: PaymentModel, { status, code }: Refusal): boolean {
  if (error?.status !== status || error.code !== code) return false;
  if (code !== 'INVALID_STATE') return true;
  const { state, allowed_actions = [] } = error.problem;
  return (
    state === model.state && allowed_actions.toSorted().join() === allowedActions(model).toSorted().join()
  );
}

export function expectPayment(model: PaymentModel, payment: Payment, what: string): void {
  const { state, amount_captured, amount_refunded, version } = payment;
  const found = { state, captured: amount_captured, refunded: amount_refunded, version };
  const { captured, refunded } = model;
  expectSame(found, { state: model.state, captured, refunded, version: model.version }, what);
}

export function expectAnswer(model: PaymentModel, answer: Payment | Refund, what: string): void {
  if ('version' in answer) expectPayment(model, answer, what);
  else expectSame(answer.state, 'COMPLETED', what);
}

/** A response without the fields that differ each time. */
export function comparable({ data, error }: Outcome): unknown {
  const { request_id: _, ...problem } = error?.problem ?? {};
  return { data, status: error?.status, problem };
}
