/** A request for one movement of money, checked field by field. */
import { collectViolations, type Violations } from '@payflowx/chassis/errors';
import { requireMetadata } from '@payflowx/chassis/metadata';
import { isCurrency } from '@payflowx/proto/currency';
import { invalid, PaymentError } from './errors.ts';
import { isAccountId, isMandateId } from './ids.ts';
import { isAmount, MAX_AMOUNT_MINOR } from './money.ts';

export type PaymentKind = 'PAYMENT' | 'DEPOSIT' | 'WITHDRAWAL';
export type CaptureMode = 'AUTOMATIC' | 'MANUAL';
/** The side that captures and cancels. */
export type CaptureBy = 'PAYER' | 'PAYEE';

export interface Order {
  readonly kind: PaymentKind;
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly captureMode: CaptureMode;
  readonly captureBy: CaptureBy;
  readonly description: string;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds that the money may be held. 0 for the platform's default. */
  readonly holdSeconds: number;
  /** The mandate by which the payee collects. Undefined for a payment by the payer. */
  readonly mandateId: string | undefined;
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
  /** Undefined for an unknown value. */
  captureBy: CaptureBy | undefined;
  description: string;
  reference: string;
  metadata: Readonly<Record<string, string>>;
  /** 0 for the platform's default. */
  holdSeconds: number;
  /** Empty for a payment by the payer. */
  mandateId: string;
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
/** 30 days. */
const MAX_HOLD_SECONDS = 2_592_000;

/**
 * Converts a request for a payment to an order. Throws IDEMPOTENCY_KEY_REQUIRED, INVALID_ARGUMENT with every violation, or
 * SAME_ACCOUNT.
 */
export function toPaymentOrder(request: PaymentRequest): Order {
  const violations = collectViolations(invalid);
  checkKey(violations, request.requestId);
  return toOrder(request, violations);
}

/** Converts a request for a simulation to an order. It needs no key. Throws INVALID_ARGUMENT or SAME_ACCOUNT. */
export function toSimulatedOrder(request: PaymentRequest): Order {
  return toOrder(request, collectViolations(invalid));
}

function toOrder(request: PaymentRequest, violations: Violations): Order {
  const { captureMode = 'AUTOMATIC', captureBy = 'PAYER', fromAccount, toAccount } = request;
  const { amountMinor, currency, holdSeconds, description, reference, metadata, mandateId } = request;
  violations.require(isAccountId(fromAccount), 'from_account', ACCOUNT_RULE);
  violations.require(isAccountId(toAccount), 'to_account', ACCOUNT_RULE);
  checkAmount(violations, amountMinor, currency);
  violations.require(request.captureMode !== undefined, 'capture_mode', 'must be AUTOMATIC or MANUAL');
  violations.require(request.captureBy !== undefined, 'capture_by', 'must be PAYER or PAYEE');
  const isCaptured = captureMode === 'MANUAL' || captureBy === 'PAYER';
  violations.require(
    isCaptured,
    'capture_by',
    'must be PAYER for an automatic capture, which nobody captures',
  );
  violations.requireText('description', description, MAX_DESCRIPTION);
  checkNotes(violations, { reference, metadata });
  checkHold(violations, holdSeconds, captureMode);
  violations.require(mandateId === '' || isMandateId(mandateId), 'mandate_id', 'must be man_ and a UUID');
  violations.throwIfAny();
  if (fromAccount === toAccount) throw new PaymentError('SAME_ACCOUNT', 'An account cannot pay itself.');
  const texts = { description, reference, metadata };
  const terms = { amountMinor, currency, captureMode, captureBy, holdSeconds };
  const mandate = { mandateId: mandateId || undefined };
  return { kind: 'PAYMENT', fromAccount, toAccount, ...terms, ...texts, ...mandate };
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
  const violations = collectViolations(invalid);
  checkKey(violations, requestId);
  violations.require(isAccountId(accountId), 'account_id', ACCOUNT_RULE);
  checkAmount(violations, amountMinor, currency);
  violations.requireText('reference', reference, MAX_REFERENCE);
  violations.throwIfAny();
  const outside = `external:${currency}`;
  const [fromAccount, toAccount] = kind === 'DEPOSIT' ? [outside, accountId] : [accountId, outside];
  const capture = {
    captureMode: 'AUTOMATIC',
    captureBy: 'PAYER',
    holdSeconds: 0,
    mandateId: undefined,
  } as const;
  return {
    kind,
    fromAccount,
    toAccount,
    amountMinor,
    currency,
    reference,
    description: '',
    metadata: {},
    ...capture,
  };
}

export const CURRENCY_RULE = 'must be the ISO 4217 code of a currency in use';
const ACCOUNT_RULE = 'must be acct_ and a UUID';

function checkHold(violations: Violations, holdSeconds: number, captureMode: CaptureMode): void {
  const isInRange = holdSeconds >= 0 && holdSeconds <= MAX_HOLD_SECONDS;
  violations.require(
    isInRange,
    'hold_seconds',
    `must be from 1 to ${MAX_HOLD_SECONDS}, or 0 for the default`,
  );
  const isHeld = captureMode === 'MANUAL' || holdSeconds === 0;
  violations.require(
    !isInRange || isHeld,
    'hold_seconds',
    'must be 0 for an automatic capture, which holds no money',
  );
}

/** A missing key has its own reason, which is thrown before all other violations. */
export function checkKey(violations: Violations, requestId: string): void {
  if (requestId === '') {
    throw new PaymentError(
      'IDEMPOTENCY_KEY_REQUIRED',
      'A request that moves money needs an idempotency key.',
    );
  }
  violations.require(REQUEST_ID.test(requestId), 'request_id', 'must be 1 to 255 visible ASCII characters');
}

function checkAmount(violations: Violations, amountMinor: bigint, currency: string): void {
  violations.require(isAmount(amountMinor), 'amount_minor', `must be from 1 to ${MAX_AMOUNT_MINOR}`);
  violations.require(isCurrency(currency), 'currency', CURRENCY_RULE);
}

/** Checks notes of a caller: the reference and the metadata. */
export function checkNotes(
  violations: Violations,
  { reference, metadata }: Pick<Order, 'reference' | 'metadata'>,
): void {
  violations.requireText('reference', reference, MAX_REFERENCE);
  requireMetadata(violations, metadata);
}
