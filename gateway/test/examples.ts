/** Default responses of the fakes, for tests that do not check them. */
import type { AccountTotals, Totals } from '@payflowx/proto/analytics';
import {
  type ApiClient,
  type ApiClientKey,
  type AuthSession,
  type IdentityAuditRecord,
  Role,
  type SecondFactor,
  type TokenPair,
  type User,
  UserState,
} from '@payflowx/proto/auth';
import {
  type Account,
  type AccountAuditRecord,
  AccountState,
  CaptureMode,
  type Mandate,
  MandateState,
  MovementKind,
  Outcome,
  type Rule,
  RuleAction,
} from '@payflowx/proto/authorization';
import { type DeadLetter, type DeadLetterAuditRecord, DeadLetterReason } from '@payflowx/proto/dead-letters';
import {
  Direction,
  type Entry,
  type GetProofResponse,
  type GetReceiptResponse,
  type GetStatementResponse,
  type JournalTransaction,
  Layer,
  type ProofSummary,
  ProofVerdict,
  type Reconciliation,
  type SealedHead,
} from '@payflowx/proto/ledger';
import {
  type Event,
  type Mail,
  MailState,
  type MailSuppression,
  type Notification,
  Side,
  type WebhookAuditRecord,
  type WebhookDelivery,
  WebhookDeliveryState,
  type WebhookEndpoint,
  WebhookEndpointState,
} from '@payflowx/proto/notification';
import {
  ActionOutcome,
  type Capture,
  CaptureBy,
  CaptureState,
  type CreatePaymentRequest,
  type Payment,
  type PaymentAuditRecord,
  PaymentKind,
  PaymentState,
  type PaymentStep,
  type Refund,
  RefundState,
} from '@payflowx/proto/payment';
import type { GetPipelineResponse } from '@payflowx/proto/pipeline';

const UUID = '0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3';

export const ALICE = `acct_${UUID}a`;
export const BOB = `acct_${UUID}b`;
export const PAYMENT_ID = `pay_${UUID}c`;
export const MANDATE_ID = `man_${UUID}c`;
export const TRANSACTION_ID = `txn_${UUID}d`;
export const CAPTURE_ID = `cap_${UUID}f`;
export const REFUND_ID = `ref_${UUID}f`;
export const RULE_ID = `rule_${UUID}1`;
export const RECONCILIATION_ID = `rec_${UUID}2`;
export const CLIENT_ID = `cli_${UUID}3`;
export const EVENT_ID = `evt_${UUID}4`;
export const ENDPOINT_ID = `whe_${UUID}5`;
export const DELIVERY_ID = `whd_${UUID}6`;
export const SESSION_ID = `fam_${UUID}5`;
export const SUPPRESSION_ID = `sup_${UUID}7`;
export const MAIL_ID = `mail_${UUID}8`;
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
    captureBy: request.captureBy ?? CaptureBy.UNSPECIFIED,
    completedAt: AT,
    cancelledAt: undefined,
    payeeNotes: undefined,
    expiredAt: undefined,
    description: request.description ?? '',
    reference: request.reference ?? '',
    metadata: request.metadata ?? {},
    mandateId: request.mandateId ?? '',
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
    reference: '',
    metadata: {},
    payment: { state: PaymentState.PARTIALLY_REFUNDED, capturedMinor: 1250n, refundedMinor: 500n },
    ...changes,
  };
}

export function captureOf(changes: Partial<Capture>): Capture {
  return {
    id: CAPTURE_ID,
    paymentId: PAYMENT_ID,
    state: CaptureState.COMPLETED,
    amountMinor: 500n,
    currency: 'EUR',
    final: false,
    failure: undefined,
    createdAt: AT,
    updatedAt: AT,
    clientId: '',
    reference: '',
    metadata: {},
    payment: { state: PaymentState.PARTIALLY_CAPTURED, capturedMinor: 500n, refundedMinor: 0n },
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
  email: 'alice@example.com',
  emailVerified: true,
  language: '',
  state: UserState.ENABLED,
  hasPassword: true,
  externalId: 'customer-1',
  metadata: { desk: '7' },
  version: 3n,
  createdAt: AT,
  lastLoginAt: undefined,
  secondFactor: false,
};

export const FACTOR_ID = `sf_${UUID}6`;
export const factor: SecondFactor = {
  id: FACTOR_ID,
  kind: 'totp',
  name: 'Phone',
  createdAt: AT,
  confirmedAt: undefined,
  lastUsedAt: undefined,
};

export const session: AuthSession = {
  id: SESSION_ID,
  createdAt: AT,
  lastUsedAt: AT,
  expiresAt: AT,
  current: true,
};

export const tokens: TokenPair = {
  accessToken: 'a.b.c',
  tokenType: 'Bearer',
  expiresIn: 300,
  refreshToken: 'r',
  restrictedTo: '',
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
  externalId: '',
  metadata: {},
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
  verdict: ProofVerdict.BROKEN,
  trialBalances: [{ currency: 'EUR', postedSumMinor: 1n, pendingSumMinor: 0n, accountCount: 2n }],
  differences: [
    {
      accountId: ALICE,
      currency: 'EUR',
      ledgerPostedMinor: 1n,
      authorizationPostedMinor: 2n,
      ledgerHeldMinor: 3n,
      authorizationHeldMinor: 4n,
      settled: true,
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

export const lastProof: ProofSummary = {
  ...{ verdict: ProofVerdict.UNSETTLED, provedAt: AT },
  ...{ differenceCount: 1n, accountCount: 2n, transactionCount: 3n },
};

export const pipeline: GetPipelineResponse = {
  stages: [
    { activity: 'consume', source: 'payment-events', waitingCount: 3n, oldestAgeMs: 1_500n },
    { activity: 'publish', source: 'payment-notifications', waitingCount: undefined, oldestAgeMs: undefined },
  ],
  deadLetters: [
    { source: 'payment-events', count: 2n },
    { source: 'payment-notifications', count: undefined },
  ],
};

export const mail: Mail = {
  id: MAIL_ID,
  userId: USER_ID,
  kind: 'payment',
  subjectType: 'payment.completed',
  paymentId: PAYMENT_ID,
  state: MailState.SENT,
  reason: '',
  attempts: 1,
  lastError: '',
  address: 'alice@example.com',
  messageId: `<${MAIL_ID}@payflowx.example>`,
  createdAt: AT,
  sentAt: AT,
};

export const DEAD_LETTER_ID = 'dl_00000003-7a30-8c41-8d52-0f6b8a1c2e3d';

export const deadLetter: DeadLetter = {
  id: DEAD_LETTER_ID,
  source: 'payment-notifications',
  reason: DeadLetterReason.REJECTED,
  error: 'Error: The rule says no.',
  eventId: EVENT_ID,
  eventType: 'payment.completed',
  key: PAYMENT_ID,
  failedAt: AT,
  payloadSize: 3n,
  headers: { ce_id: EVENT_ID },
  payload: Buffer.from('abc'),
  payloadJson: '{"amount":1}',
};

export const redriveRecord: DeadLetterAuditRecord = {
  id: 'aud_1',
  actorId: USER_ID,
  deadLetterId: DEAD_LETTER_ID,
  source: '',
  reason: DeadLetterReason.UNSPECIFIED,
  redrivenCount: 1,
  traceId: 'trace',
  callId: 'call_1',
  createdAt: AT,
};

export const suppression: MailSuppression = {
  id: SUPPRESSION_ID,
  address: 'bob@example.com',
  response: '550 5.1.1 No such user',
  mailId: MAIL_ID,
  createdAt: AT,
};

export const endpoint: WebhookEndpoint = {
  id: ENDPOINT_ID,
  ownerId: USER_ID,
  url: 'https://example.com/hook',
  eventTypes: ['*'],
  description: '',
  state: WebhookEndpointState.ENABLED,
  disabledReason: '',
  createdAt: AT,
  updatedAt: AT,
};

export const delivery: WebhookDelivery = {
  id: DELIVERY_ID,
  endpointId: ENDPOINT_ID,
  eventId: EVENT_ID,
  state: WebhookDeliveryState.PENDING,
  nextAttemptAt: AT,
  attempts: [{ at: AT, status: 0, latencyMs: 15_000, response: '', error: 'no response' }],
  createdAt: AT,
};

export const webhookRecord: WebhookAuditRecord = {
  id: 'aud_1',
  actorId: USER_ID,
  action: 'webhook_endpoint.disabled',
  endpointId: ENDPOINT_ID,
  ownerId: USER_ID,
  clientId: '',
  traceId: '',
  callId: '',
  createdAt: AT,
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
  hasSecret: true,
};

export const clientKey = {
  kid: 'till-2026',
  jwk: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  },
};

export const clientKeyMessage: ApiClientKey = {
  kid: clientKey.kid,
  publicJwk: JSON.stringify({ ...clientKey.jwk, kid: clientKey.kid, use: 'sig' }),
  createdAt: AT,
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

export const newMandate = { from_account: ALICE, to_account: BOB, valid_until: '2027-01-31T12:00:00Z' };

export const mandateMessage: Mandate = {
  id: MANDATE_ID,
  state: MandateState.ACTIVE,
  fromAccount: ALICE,
  toAccount: BOB,
  currency: 'EUR',
  limits: { perPaymentMinor: 5_000n, dailyMinor: undefined, monthlyMinor: 10_000n },
  usage: { dailyMinor: 1_250n, monthlyMinor: 1_250n },
  validUntil: AT,
  reference: '',
  createdAt: AT,
  revokedAt: undefined,
  createdBy: undefined,
  revokedBy: undefined,
};
const mandateOrigin = { actorId: USER_ID, clientId: '', traceId: 'a', callId: 'call_1' };
export const revokedMandate: Mandate = {
  ...mandateMessage,
  state: MandateState.REVOKED,
  reference: 'gym',
  revokedAt: AT,
  createdBy: mandateOrigin,
  revokedBy: { ...mandateOrigin, clientId: CLIENT_ID },
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

export function eventOf(changes: Partial<Event> = {}): Event {
  return {
    id: EVENT_ID,
    type: 'payment.refunded',
    createdAt: AT,
    payment: paymentOf({}),
    refund: refundOf({}),
    webhookEndpoint: undefined,
    ...changes,
  };
}
