/** Default responses of the fakes, for tests that do not check them. */
import type { AccountTotals, Totals } from '@payflowx/proto/analytics';
import {
  type ApiClient,
  type IdentityAuditRecord,
  Role,
  type TokenPair,
  type User,
} from '@payflowx/proto/auth';
import {
  type Account,
  type AccountAuditRecord,
  AccountState,
  CaptureMode,
  MovementKind,
  Outcome,
  type Rule,
  RuleAction,
} from '@payflowx/proto/authorization';
import {
  Direction,
  type Entry,
  type GetProofResponse,
  type GetReceiptResponse,
  type GetStatementResponse,
  type JournalTransaction,
  Layer,
  type Reconciliation,
  type SealedHead,
} from '@payflowx/proto/ledger';
import { type Notification, Side } from '@payflowx/proto/notification';
import {
  ActionOutcome,
  type CreatePaymentRequest,
  type Payment,
  type PaymentAuditRecord,
  PaymentKind,
  PaymentState,
  type PaymentStep,
  type Refund,
  RefundState,
} from '@payflowx/proto/payment';

const UUID = '0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3';

export const ALICE = `acct_${UUID}a`;
export const BOB = `acct_${UUID}b`;
export const PAYMENT_ID = `pay_${UUID}c`;
export const TRANSACTION_ID = `txn_${UUID}d`;
export const REFUND_ID = `ref_${UUID}f`;
export const RULE_ID = `rule_${UUID}1`;
export const RECONCILIATION_ID = `rec_${UUID}2`;
export const CLIENT_ID = `cli_${UUID}3`;
export const USER_ID = `usr_${UUID}e`;
export const AT = new Date('2026-01-31T12:00:00.000Z');

export const newPayment = { from_account: ALICE, to_account: BOB, amount: 1250, currency: 'EUR' };

export function paymentOf(request: Partial<CreatePaymentRequest>, changes: Partial<Payment> = {}): Payment {
  return {
    id: PAYMENT_ID,
    kind: PaymentKind.PAYMENT,
    state: PaymentState.COMPLETED,
    fromAccount: request.fromAccount ?? ALICE,
    toAccount: request.toAccount ?? BOB,
    amountMinor: request.amountMinor ?? 1250n,
    currency: request.currency ?? 'EUR',
    capturedMinor: request.amountMinor ?? 1250n,
    refundedMinor: 0n,
    captureMode: CaptureMode.AUTOMATIC,
    description: request.description ?? '',
    reference: request.reference ?? '',
    metadata: request.metadata ?? {},
    failure: undefined,
    decision: {
      outcome: Outcome.APPROVED,
      code: '',
      message: '',
      limit: undefined,
      checks: [{ name: 'balance', passed: true, inputs: { available: '5000' } }],
      movements: [],
      fromOwnerId: USER_ID,
      toOwnerId: USER_ID,
      id: '',
      decidedAt: AT,
      holdExpiresAt: undefined,
    },
    expiresAt: undefined,
    version: 2n,
    createdAt: AT,
    updatedAt: AT,
    clientId: '',
    ...changes,
  };
}

export function declinedPayment(code: string): Payment {
  const approved = paymentOf({});
  return {
    ...approved,
    state: PaymentState.FAILED,
    capturedMinor: 0n,
    failure: { code, message: 'The day’s limit is used up.' },
    decision: approved.decision && {
      ...approved.decision,
      outcome: Outcome.DECLINED,
      code,
      message: 'The day’s limit is used up.',
      limit: { limit: 10_000n, used: 9_500n, resetsAt: AT },
    },
  };
}

export function refundOf(changes: Partial<Refund>): Refund {
  return {
    id: REFUND_ID,
    paymentId: PAYMENT_ID,
    state: RefundState.COMPLETED,
    amountMinor: 500n,
    currency: 'EUR',
    reason: '',
    failure: undefined,
    createdAt: AT,
    updatedAt: AT,
    clientId: '',
    ...changes,
  };
}

/** Answers each item of a batch with its payment. */
// biome-ignore lint/suspicious/noExplicitAny: the fake gets decoded messages of the contract.
export const completeAll = ({ items }: any) => ({
  results: items.map((item: { request: CreatePaymentRequest }) => ({
    result: { $case: 'response', value: { payment: paymentOf(item.request), replayed: false } },
  })),
});

export const user: User = {
  id: USER_ID,
  username: 'alice',
  roles: [Role.CUSTOMER, Role.OPERATOR],
  createdAt: AT,
};

export const tokens: TokenPair = {
  accessToken: 'a.b.c',
  tokenType: 'Bearer',
  expiresIn: 300,
  refreshToken: 'r',
};

export const account: Account = {
  id: ALICE,
  ownerId: USER_ID,
  name: '',
  currency: 'EUR',
  state: AccountState.ACTIVE,
  balance: {
    postedMinor: 9_007_199_254_740_991n,
    heldMinor: 1n,
    availableMinor: 9_007_199_254_740_990n,
  },
  limits: { perPaymentMinor: 5n, dailyMinor: undefined, monthlyMinor: undefined, dailyCount: undefined },
  usage: { dailyMinor: 1n, monthlyMinor: 2n, dailyCount: 3 },
  version: 1n,
  createdAt: AT,
  timeZone: 'UTC',
};

export const outside: Account = {
  ...account,
  id: 'external:EUR',
  ownerId: '',
  balance: { postedMinor: -5n, heldMinor: 0n, availableMinor: -5n },
  limits: undefined,
  usage: undefined,
};

export const entry: Entry = {
  id: `${TRANSACTION_ID}/0/debit`,
  transactionId: TRANSACTION_ID,
  accountId: ALICE,
  direction: Direction.DEBIT,
  amountMinor: 5n,
  currency: 'EUR',
  layer: Layer.POSTED,
  paymentId: PAYMENT_ID,
  createdAt: AT,
};

export const transaction: JournalTransaction = {
  id: TRANSACTION_ID,
  eventId: 'evt_1',
  eventType: 'payment.completed',
  paymentId: PAYMENT_ID,
  createdAt: AT,
  entries: [entry],
};

export const head: SealedHead = {
  size: 2n,
  rootHash: Buffer.alloc(32, 0xab),
  headHash: Buffer.alloc(32, 0xcd),
  previousHeadHash: Buffer.alloc(0),
  sealedAt: AT,
};

export const proof: GetProofResponse = {
  holds: false,
  trialBalances: [{ currency: 'EUR', postedSumMinor: 1n, pendingSumMinor: 0n, accountCount: 2n }],
  differences: [
    {
      accountId: ALICE,
      currency: 'EUR',
      ledgerPostedMinor: 1n,
      authorizationPostedMinor: 2n,
      ledgerHeldMinor: 3n,
      authorizationHeldMinor: 4n,
    },
  ],
  differenceCount: 1n,
  truncated: false,
  accountCount: 2n,
  staleBalanceCount: 0n,
  transactionCount: 1n,
  entryCount: 2n,
  openHoldCount: 0n,
  eventLag: 0n,
  provedAt: AT,
  head,
  unsealedCount: 1n,
  firstBrokenTransactionId: TRANSACTION_ID,
  brokenDetail: 'Its bytes were changed.',
};

export const notificationExample: Notification = {
  id: 'ntf_1',
  recipientId: USER_ID,
  accountId: BOB,
  side: Side.RECEIVER,
  paymentId: PAYMENT_ID,
  eventType: 'payment.completed',
  channel: 'inbox',
  title: 'You were paid',
  body: 'EUR 0.05',
  amountMinor: 5n,
  currency: 'EUR',
  createdAt: AT,
  eventId: 'evt_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
};

export const totals: Totals = {
  currency: 'EUR',
  initiatedCount: 3n,
  completedCount: 2n,
  failedCount: 1n,
  cancelledCount: 0n,
  expiredCount: 0n,
  refundCount: 0n,
  // Larger than an int64. The response must contain every digit.
  capturedMinor: 0n,
  capturedSum: (2n ** 70n + 1n).toString(),
  refundedMinor: 0n,
  refundedSum: '0',
  successRate: 2 / 3,
};

export const accountTotals: AccountTotals = {
  currency: 'EUR',
  sentCount: 1n,
  sentMinor: 2n,
  receivedCount: 0n,
  receivedMinor: 0n,
  failedCount: 0n,
};

export const accountRecord: AccountAuditRecord = {
  id: 'aud_1',
  actorId: USER_ID,
  action: 'account.updated',
  accountId: ALICE,
  reason: '',
  beforeJson: '{"limits":{"daily":null},"name":"Ä"}',
  afterJson: '{"limits":{"daily":9007199254740991},"name":"Ä"}',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  createdAt: AT,
  clientId: CLIENT_ID,
  callId: 'call_1',
};

export const paymentRecord: PaymentAuditRecord = {
  id: PAYMENT_ID,
  actorId: USER_ID,
  clientId: '',
  action: 'withdrawal.created',
  outcome: ActionOutcome.DECLINED,
  failureCode: 'INSUFFICIENT_BALANCE',
  paymentId: PAYMENT_ID,
  accountId: ALICE,
  ownerId: USER_ID,
  amountMinor: 9_007_199_254_740_991n,
  currency: 'EUR',
  idempotencyKey: 'k-1',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  createdAt: AT,
};

export const identityRecord: IdentityAuditRecord = {
  id: 'aud_2',
  actorId: 'auth',
  action: 'key.rotated',
  subjectId: 'key-1',
  detailsJson: '{"next_kid":"key-2"}',
  traceId: '',
  createdAt: AT,
  clientId: '',
  callId: '',
};

export const apiClient: ApiClient = {
  id: CLIENT_ID,
  name: 'Shop',
  userId: USER_ID,
  scopes: ['accounts:read', 'ledger:read'],
  createdAt: AT,
  revokedAt: undefined,
};

export const rule: Rule = {
  id: RULE_ID,
  version: 3n,
  name: 'large-at-night',
  expression: 'payment.amount > 100000',
  action: RuleAction.SHADOW,
  message: '',
  enabled: true,
  createdBy: USER_ID,
  createdAt: AT,
  clientId: '',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  callId: 'call_1',
};

export const statement: GetStatementResponse = {
  openingMinor: 10n,
  closingMinor: 5n,
  currency: 'EUR',
  from: AT,
  to: AT,
  lines: [{ entry, balanceMinor: 5n }],
  nextPageToken: 'next',
};

export const receipt: GetReceiptResponse = {
  paymentId: PAYMENT_ID,
  head,
  transactions: [
    {
      transaction,
      canonical: Buffer.from('{}'),
      position: 1n,
      path: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
    },
  ],
};

export const reconciliation: Reconciliation = {
  id: RECONCILIATION_ID,
  holds: false,
  startedAt: AT,
  finishedAt: AT,
  accountCount: 2n,
  differenceCount: 1n,
  differences: [
    {
      accountId: ALICE,
      currency: 'EUR',
      figure: 'posted',
      expectedBy: 'authorization',
      expected: 2n,
      foundBy: 'ledger',
      found: 1n,
    },
  ],
  requestedBy: '',
  unsettledCount: 1n,
};

export function stepOf(changes: Partial<PaymentStep>): PaymentStep {
  return {
    eventId: 'evt_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
    type: 'payment.completed',
    state: PaymentState.COMPLETED,
    movements: [{ kind: MovementKind.TRANSFER, fromAccount: ALICE, toAccount: BOB, amountMinor: 1250n }],
    decision: paymentOf({}).decision,
    refundId: '',
    actorId: USER_ID,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    occurredAt: AT,
    clientId: '',
    ...changes,
  };
}
