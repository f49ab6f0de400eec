/**
 * Requests that move money, stored with their idempotency keys before they are sent, until their outcome is known. They are kept by
 * person: the next person in the same tab does not send them.
 */
import { PayFlowXError } from '@payflowx/client';

export interface Pending<Body> {
  key: string;
  body: Body;
}

/** Names the request: `action` has its subject, such as `refund:pay_…`. */
export interface Slot {
  userId: string;
  action: string;
}

/** The platform forgets keys after 25 hours. From then on, a repeated request would be a new one. */
const LIFETIME_MS = 24 * 60 * 60 * 1_000;

const nameOf = ({ userId, action }: Slot) => `payflowx-pending:${userId}:${action}`;

/** The request whose outcome is unknown, if there is one. */
export function pendingOf<Body>(slot: Slot): Pending<Body> | undefined {
  const text = sessionStorage.getItem(nameOf(slot));
  if (text === null) return undefined;
  const { at, ...pending } = JSON.parse(text) as Pending<Body> & { at: number };
  if (Date.now() - at < LIFETIME_MS) return pending;
  sessionStorage.removeItem(nameOf(slot));
  return undefined;
}

/** Stores a request with a new key. Undefined while the outcome of an earlier one is unknown: a second key could move money twice. */
export function open<Body>(slot: Slot, body: Body): Pending<Body> | undefined {
  if (pendingOf(slot)) return undefined;
  const pending = { key: crypto.randomUUID(), body };
  sessionStorage.setItem(nameOf(slot), JSON.stringify({ ...pending, at: Date.now() }));
  return pending;
}

/** Its outcome is known. A later request of the same slot stays. */
export function forget(slot: Slot, { key }: { key: string }): void {
  if (pendingOf(slot)?.key === key) sessionStorage.removeItem(nameOf(slot));
}

/** No answer, overload, a failure behind the gateway, or a login that ended between two attempts: the action may have happened. */
export function hasUnknownOutcome(error: unknown): boolean {
  if (!(error instanceof PayFlowXError) || error.retryable) return true;
  const { code, status } = error;
  return [0, 401, 408].includes(status) || status >= 500 || code === 'IDEMPOTENCY_IN_PROGRESS';
}
