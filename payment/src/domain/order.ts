/** A request for one movement of money, checked field by field. */
import { isCurrency } from '@payflowx/proto/currency';
import { type Checks, isAccountId, isText, startChecks, textRule } from './checks.ts';
import { PaymentError } from './errors.ts';
import { isAmount, MAX_AMOUNT_MINOR } from './money.ts';

export type PaymentKind = 'PAYMENT' | 'DEPOSIT' | 'WITHDRAWAL';
export type CaptureMode = 'AUTOMATIC' | 'MANUAL';

export interface Order {
  readonly kind: PaymentKind;
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly captureMode: CaptureMode;
  readonly description: string;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds that the money may be held. 0 for the platform's default. */
  readonly holdSeconds: number;
}

/** A request for a payment before it is checked. */
export interface PaymentRequest {
  requestId: string;
  fromAccount: string;
  toAccount: string;
  amountMinor: bigint;
  currency: string;
  /** Undefined for an unknown value. */
  captureMode: CaptureMode | undefined;
  description: string;
  reference: string;
  metadata: Readonly<Record<string, string>>;
  /** 0 for the platform's default. */
  holdSeconds: number;
}

/** A request for a deposit or withdrawal before it is checked. */
export interface ExternalRequest {
  requestId: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  reference: string;
}

const REQUEST_ID = /^[\x21-\x7e]{1,255}$/;
const MAX_DESCRIPTION = 500;
export const MAX_REFERENCE = 100;
const MAX_METADATA_PAIRS = 20;
const MAX_METADATA_KEY = 40;
const MAX_METADATA_VALUE = 500;
/** 30 days. */
const MAX_HOLD_SECONDS = 2_592_000;

/**
 * Converts a request for a payment to an order. Throws IDEMPOTENCY_KEY_REQUIRED, INVALID_ARGUMENT with every violation, or
 * SAME_ACCOUNT.
 */
export function toPaymentOrder(request: PaymentRequest): Order {
  const check = startChecks();
  checkKey(check, request.requestId);
  return toOrder(request, check);
}

/** Converts a request for a simulation to an order. It needs no key. Throws INVALID_ARGUMENT or SAME_ACCOUNT. */
export function toSimulatedOrder(request: PaymentRequest): Order {
  return toOrder(request, startChecks());
}

function toOrder(request: PaymentRequest, check: Checks): Order {
  const { captureMode = 'AUTOMATIC', fromAccount, toAccount, description, reference, metadata } = request;
  const { amountMinor, currency, holdSeconds } = request;
  check('from_account', isAccountId(fromAccount), ACCOUNT_RULE);
  check('to_account', isAccountId(toAccount), ACCOUNT_RULE);
  checkAmount(check, amountMinor, currency);
  check('capture_mode', request.captureMode !== undefined, 'must be AUTOMATIC or MANUAL');
  check('description', isText(description, MAX_DESCRIPTION), textRule(MAX_DESCRIPTION));
  check('reference', isText(reference, MAX_REFERENCE), textRule(MAX_REFERENCE));
  checkMetadata(check, metadata);
  checkHold(check, holdSeconds, captureMode);
  check.end();
  if (fromAccount === toAccount) throw new PaymentError('SAME_ACCOUNT', 'An account cannot pay itself.');
  const terms = { amountMinor, currency, captureMode, description, reference, metadata, holdSeconds };
  return { kind: 'PAYMENT', fromAccount, toAccount, ...terms };
}

/** Money into an account from the external account `external:<currency>`. Throws like toPaymentOrder. */
export function toDepositOrder(request: ExternalRequest): Order {
  return toExternalOrder(request, 'DEPOSIT');
}

/** Money from an account to the external account. Throws like toPaymentOrder. */
export function toWithdrawalOrder(request: ExternalRequest): Order {
  return toExternalOrder(request, 'WITHDRAWAL');
}

function toExternalOrder(request: ExternalRequest, kind: 'DEPOSIT' | 'WITHDRAWAL'): Order {
  const { requestId, accountId, amountMinor, currency, reference } = request;
  const check = startChecks();
  checkKey(check, requestId);
  check('account_id', isAccountId(accountId), ACCOUNT_RULE);
  checkAmount(check, amountMinor, currency);
  check('reference', isText(reference, MAX_REFERENCE), textRule(MAX_REFERENCE));
  check.end();
  const outside = `external:${currency}`;
  const [fromAccount, toAccount] = kind === 'DEPOSIT' ? [outside, accountId] : [accountId, outside];
  const plain = { captureMode: 'AUTOMATIC', description: '', metadata: {}, holdSeconds: 0 } as const;
  return { kind, fromAccount, toAccount, amountMinor, currency, reference, ...plain };
}

export const CURRENCY_RULE = 'must be the ISO 4217 code of a currency in use';
const ACCOUNT_RULE = 'must be acct_ and a UUID';

function checkHold(check: Checks, holdSeconds: number, captureMode: CaptureMode): void {
  const isInRange = holdSeconds >= 0 && holdSeconds <= MAX_HOLD_SECONDS;
  check('hold_seconds', isInRange, `must be from 1 to ${MAX_HOLD_SECONDS}, or 0 for the default`);
  const isHeld = captureMode === 'MANUAL' || holdSeconds === 0;
  check('hold_seconds', !isInRange || isHeld, 'must be 0 for an automatic capture, which holds no money');
}

/** A missing key has its own reason, which is thrown before all other violations. */
export function checkKey(check: Checks, requestId: string): void {
  if (requestId === '') {
    throw new PaymentError(
      'IDEMPOTENCY_KEY_REQUIRED',
      'A request that moves money needs an idempotency key.',
    );
  }
  check('request_id', REQUEST_ID.test(requestId), 'must be 1 to 255 visible ASCII characters');
}

function checkAmount(check: Checks, amountMinor: bigint, currency: string): void {
  check('amount_minor', isAmount(amountMinor), `must be from 1 to ${MAX_AMOUNT_MINOR}`);
  check('currency', isCurrency(currency), CURRENCY_RULE);
}

function checkMetadata(check: Checks, metadata: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(metadata);
  check('metadata', pairs.length <= MAX_METADATA_PAIRS, `must have at most ${MAX_METADATA_PAIRS} pairs`);
  for (const [key, value] of pairs) {
    const isGoodKey = key !== '' && isText(key, MAX_METADATA_KEY);
    check('metadata', isGoodKey, `keys must be 1 to ${MAX_METADATA_KEY} characters, none of them NUL`);
    if (isGoodKey) check(`metadata.${key}`, isText(value, MAX_METADATA_VALUE), textRule(MAX_METADATA_VALUE));
  }
}
