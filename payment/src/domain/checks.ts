/** Checks requests. Violations are collected, so that a caller gets all of them in one response. */
import { PaymentError, type Violation } from './errors.ts';

export interface Checks {
  (field: string, holds: boolean, description: string): void;
  /** Throws INVALID_ARGUMENT with one violation for each failed check. */
  end(): void;
}

export function startChecks(): Checks {
  const violations: Violation[] = [];
  const check = (field: string, holds: boolean, description: string) => {
    if (!holds) violations.push({ field, description });
  };
  const end = () => {
    if (violations.length === 0) return;
    throw new PaymentError('INVALID_ARGUMENT', 'The request is not valid.', { violations });
  };
  return Object.assign(check, { end });
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const ACCOUNT_ID = new RegExp(`^acct_${UUID}$`);
const PAYMENT_ID = new RegExp(`^pay_${UUID}$`);

export function isAccountId(text: string): boolean {
  return ACCOUNT_ID.test(text);
}

export function isPaymentId(text: string): boolean {
  return PAYMENT_ID.test(text);
}

/**
 * True if the text has at most `max` characters (code points, as JSON Schema counts them) and no NUL, which Postgres cannot
 * store.
 */
export function isText(text: string, max: number): boolean {
  if (text.includes('\0')) return false;
  return text.length <= max || (text.length <= 2 * max && [...text].length <= max);
}

export const textRule = (max: number) => `must be at most ${max} characters, none of them NUL`;
