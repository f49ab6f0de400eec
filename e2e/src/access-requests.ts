/**
 * A valid request for every route and RPC, about Alice's data. So a refusal comes from the caller's rights, not from the request.
 */
import { randomUUID } from 'node:crypto';
import type { Account, Demo, Payment, Session } from './platform.ts';
import type { Body } from './rest.ts';

/** The objects of the requests. */
export interface Subject {
  account: Account;
  payment: Payment;
  /** A capture and a refund of another payment of Alice. */
  captureId: string;
  refundId: string;
  transactionId: string;
  ruleId: string;
  /** A mandate between two accounts of Alice. */
  mandateId: string;
  reconciliationId: string;
  /** Alice's API client, the caller. */
  client: { id: string; secret: string };
  /** Another API client, to be revoked. */
  spareClientId: string;
  /** Alice's webhook endpoint, with a delivery of an event of her payment. */
  endpointId: string;
  deliveryId: string;
  eventId: string;
  /** A user that may be disabled. */
  spareUserId: string;
  /** A session of Alice, to be ended. */
  sessionId: string;
  owner: Session;
  demo: Demo;
}

type Request = (subject: Subject) => object | Promise<object>;

const newPayment = ({ account, payment }: Subject) => ({
  from_account: account.id,
  to_account: payment.to_account,
  currency: 'EUR',
});
const YEAR_MS = 365 * 86_400_000;
const newMandate = ({ account, payment }: Subject) => ({
  from_account: account.id,
  to_account: payment.to_account,
  valid_until: new Date(Date.now() + YEAR_MS).toISOString(),
});
const newAccount = ({ owner }: Subject) => ({ owner_id: owner.user.id, currency: 'EUR' });
const newUser = () => ({ username: `user-${randomUUID()}`, password: randomUUID(), roles: ['customer'] });
const newClient = ({ owner }: Subject) => ({
  name: 'Spare',
  user_id: owner.user.id,
  scopes: ['accounts:read'],
});
const newRule = () => ({ name: `access-${randomUUID()}`, expression: 'false' });
/** No server listens there. */
const newEndpoint = () => ({ url: 'http://127.0.0.1:9/', event_types: ['payment.cancelled'] });
/** A new endpoint for each attempt, because it is gone after the first. */
const endpointToDelete = async ({ owner }: Subject) =>
  (await owner.post('/v1/webhook-endpoints', newEndpoint(), { key: null })).body.id as string;

const login = ({ owner: { user } }: Subject) => ({ username: user.username, password: user.password });
const clientLogin = ({ client: { id, secret } }: Subject) => ({ client_id: id, client_secret: secret });

const oneTimePassword = () => ({
  username: `nobody-${randomUUID()}`,
  one_time_password: randomUUID(),
  new_password: randomUUID(),
});

/** Unconfirmed factors change nothing, but a user has only a few of them. */
const newFactor = () => ({ kind: 'totp', name: 'Phone' });
const secondFactor = () => ({ challenge: 'unknown', code: '123456' });
/** The example of RFC 7517. The test does not need its private half. */
const CLIENT_JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};
const UNKNOWN_DEAD_LETTER = 'dl_00000001-0000-8000-8000-ffffffffffff';
const UNKNOWN_FACTOR = 'sf_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d';

async function refreshToken(subject: Subject): Promise<object> {
  const { body } = await subject.owner.post('/v1/auth/login', login(subject), { key: null });
  return { refresh_token: body.refresh_token };
}

/** Bodies by route. A POST without an entry has an empty body. */
const BODIES: Record<string, Request> = {
  'POST /v1/auth/login': login,
  'POST /v1/auth/refresh': refreshToken,
  'POST /v1/auth/logout': refreshToken,
  'POST /v1/auth/token': clientLogin,
  'POST /v1/auth/password': () => ({ current_password: randomUUID(), new_password: randomUUID() }),
  'POST /v1/auth/one-time-password': oneTimePassword,
  'POST /v1/api-clients': newClient,
  'POST /v1/users': newUser,
  'PATCH /v1/users/{id}': () => ({ language: 'en' }),
  'POST /v1/auth/login/second-factor': secondFactor,
  'POST /v1/auth/browser-session': login,
  'POST /v1/auth/browser-session/second-factor': secondFactor,
  'POST /v1/auth/second-factors': newFactor,
  'POST /v1/auth/second-factors/{id}/confirm': () => ({ code: '123456' }),
  'PUT /v1/notification-preferences': () => ({ channels: { inbox: true, mail: true } }),
  'POST /v1/email-confirmations': () => ({ token: 'unknown' }),
  'POST /v1/accounts': newAccount,
  'POST /v1/accounts/batch': (subject) => ({ accounts: [newAccount(subject)] }),
  'PATCH /v1/accounts/{id}': () => ({ name: 'Holidays' }),
  'PATCH /v1/payments/{id}': () => ({ reference: 'Order 4712' }),
  'POST /v1/deposits': ({ account }) => ({ account_id: account.id, amount: 1, currency: 'EUR' }),
  'POST /v1/withdrawals': ({ account }) => ({ account_id: account.id, amount: 1, currency: 'EUR' }),
  'POST /v1/payments': (subject) => ({ ...newPayment(subject), amount: 1 }),
  'POST /v1/payments/simulate': (subject) => ({ ...newPayment(subject), amount: 1 }),
  'POST /v1/mandates': newMandate,
  'POST /v1/sandbox/accounts/{id}/advance': () => ({ seconds: 1 }),
  'POST /v1/rules': () => ({ ...newRule(), action: 'shadow' }),
  'PATCH /v1/rules/{id}': () => ({ enabled: false }),
  'POST /v1/webhook-endpoints': newEndpoint,
  'PATCH /v1/webhook-endpoints/{id}': () => ({ state: 'enabled' }),
  'POST /v1/webhook-endpoints/{id}/redeliver': () => ({ created_after: new Date().toISOString() }),
  'POST /v1/rules/backtest': () => ({ expression: 'false' }),
  'POST /v1/api-clients/{id}/keys': () => ({ jwk: CLIENT_JWK }),
  'POST /v1/dead-letters/redrive': () => ({ source: 'auth-outbox' }),
};

const ID_IN: [path: string, id: (subject: Subject) => string][] = [
  ['/users/', ({ spareUserId }) => spareUserId],
  ['/auth/second-factors/', () => UNKNOWN_FACTOR],
  ['/auth/sessions/', ({ sessionId }) => sessionId],
  ['/accounts/', ({ account }) => account.id],
  ['/payments/', ({ payment }) => payment.id],
  ['/captures/', ({ captureId }) => captureId],
  ['/refunds/', ({ refundId }) => refundId],
  ['/transactions/', ({ transactionId }) => transactionId],
  ['/mandates/', ({ mandateId }) => mandateId],
  ['/rules/', ({ ruleId }) => ruleId],
  ['/reconciliations/', ({ reconciliationId }) => reconciliationId],
  ['/api-clients/', ({ spareClientId }) => spareClientId],
  // An unknown one: an operator is allowed to lift it, and finds that it is not there.
  ['/mail-suppressions/', () => `sup_${randomUUID()}`],
  // An unknown one: no caller can make a dead letter.
  ['/dead-letters/', () => UNKNOWN_DEAD_LETTER],
  ['/events/', ({ eventId }) => eventId],
  ['/webhook-endpoints/', ({ endpointId }) => endpointId],
  ['/webhook-deliveries/', ({ deliveryId }) => deliveryId],
];

export async function restRequest(route: string, subject: Subject): Promise<{ path: string; body: Body }> {
  const [method, template = ''] = route.split(' ');
  const { owner, sessionId } = subject;
  const named = ID_IN.find(([part]) => template.includes(`${part}{id}`))?.[1](subject) ?? '';
  const isOwn = template.includes('{session_id}');
  const isEndpoint = route === 'DELETE /v1/webhook-endpoints/{id}';
  const id = isOwn ? owner.user.id : isEndpoint ? await endpointToDelete(subject) : named;
  const body = method === 'GET' || method === 'DELETE' ? undefined : await (BODIES[route]?.(subject) ?? {});
  const query = route === 'GET /v1/search' ? '?q=nothing' : '';
  return {
    path: template.replace('{id}', id).replace('{session_id}', sessionId).replace('{kid}', 'unknown') + query,
    body,
  };
}

const spareUser: Request = ({ spareUserId }) => ({ user_id: spareUserId });
const accountId: Request = ({ account }) => ({ account_id: account.id });
const paymentId: Request = ({ payment }) => ({ payment_id: payment.id });
const endpointId = (subject: Subject) => ({ endpoint_id: subject.endpointId });
const step: Request = ({ payment }) => ({ payment_id: payment.id, request_id: randomUUID() });
const transfer: Request = ({ account }) => ({
  ...{ account_id: account.id, amount_minor: 1, currency: 'EUR' },
  request_id: randomUUID(),
});

/** Requests by RPC. An RPC without an entry has an empty request. */
const MESSAGES: Record<string, Request> = {
  'AuthService/Login': login,
  'AuthService/LoginClient': clientLogin,
  'AuthService/RefreshTokens': refreshToken,
  'AuthService/Logout': refreshToken,
  'AuthService/CreateUser': newUser,
  'AuthService/GetUser': spareUser,
  'AuthService/UpdateUser': ({ spareUserId }) => ({
    user_id: spareUserId,
    expected_version: 1,
    language: 'en',
  }),
  'AuthService/ChangeUserState': ({ spareUserId }) => ({
    user_id: spareUserId,
    state: 'USER_STATE_DISABLED',
  }),
  'AuthService/ResetPassword': spareUser,
  'AuthService/ListUserSessions': spareUser,
  'AuthService/DeleteUserSecondFactors': spareUser,
  'AuthService/CreateSecondFactor': newFactor,
  'AuthService/CompleteLogin': secondFactor,
  'AuthService/ConfirmSecondFactor': () => ({ factor_id: UNKNOWN_FACTOR, code: '123456' }),
  'AuthService/DeleteSecondFactor': () => ({ factor_id: UNKNOWN_FACTOR }),
  'AuthService/RevokeAllUserSessions': spareUser,
  'AuthService/RevokeUserSession': ({ owner, sessionId }) => ({
    user_id: owner.user.id,
    session_id: sessionId,
  }),
  'AuthService/RevokeSession': ({ sessionId }) => ({ session_id: sessionId }),
  'AuthService/ChangePassword': () => ({ current_password: randomUUID(), new_password: randomUUID() }),
  'AuthService/ReplaceOneTimePassword': oneTimePassword,
  'AuthService/ConfirmEmail': () => ({ token: 'unknown' }),
  'PreferenceService/ReplaceNotificationPreferences': () => ({
    preferences: { channels: { inbox: true, mail: true } },
  }),
  'MailService/LiftMailSuppression': () => ({ suppression_id: `sup_${randomUUID()}` }),
  'AuthService/CreateApiClient': newClient,
  'AuthService/RevokeApiClient': ({ spareClientId }) => ({ client_id: spareClientId }),
  'AuthService/RotateApiClientSecret': ({ spareClientId }) => ({ client_id: spareClientId }),
  'AuthService/RemoveApiClientSecret': ({ spareClientId }) => ({ client_id: spareClientId }),
  'AuthService/AddApiClientKey': ({ spareClientId }) => ({
    client_id: spareClientId,
    public_jwk: JSON.stringify(CLIENT_JWK),
  }),
  'AuthService/ListApiClientKeys': ({ spareClientId }) => ({ client_id: spareClientId }),
  'AuthService/RemoveApiClientKey': ({ spareClientId }) => ({ client_id: spareClientId, kid: 'unknown' }),
  'AccountService/CreateAccount': newAccount,
  'AccountService/GetAccount': accountId,
  'AccountService/UpdateAccount': ({ account }) => ({
    account_id: account.id,
    name: 'Holidays',
    expected_version: 1,
  }),
  'AccountService/ChangeAccountState': ({ account }) => ({
    account_id: account.id,
    state: 'ACCOUNT_STATE_ACTIVE',
  }),
  'MandateService/CreateMandate': ({ account, payment }) => ({
    from_account: account.id,
    to_account: payment.to_account,
    valid_until: { seconds: Math.round((Date.now() + YEAR_MS) / 1_000) },
  }),
  'MandateService/GetMandate': ({ mandateId }) => ({ mandate_id: mandateId }),
  'MandateService/RevokeMandate': ({ mandateId }) => ({ mandate_id: mandateId }),
  'RuleService/CreateRule': () => ({ ...newRule(), action: 'RULE_ACTION_SHADOW' }),
  'RuleService/UpdateRule': ({ ruleId }) => ({ rule_id: ruleId, enabled: false, expected_version: 1 }),
  'RuleService/GetRule': ({ ruleId }) => ({ rule_id: ruleId }),
  'RuleService/ListRuleVersions': ({ ruleId }) => ({ rule_id: ruleId }),
  'RuleService/BacktestRule': () => ({ expression: 'false' }),
  'PaymentService/CreatePayment': (subject) => ({
    ...newPayment(subject),
    amount_minor: 1,
    request_id: randomUUID(),
  }),
  'PaymentService/SimulatePayment': (subject) => ({ payment: { ...newPayment(subject), amount_minor: 1 } }),
  'PaymentService/CreateDeposit': transfer,
  'PaymentService/CreateWithdrawal': transfer,
  'PaymentService/CapturePayment': step,
  'PaymentService/CancelPayment': step,
  'PaymentService/CreateRefund': step,
  'PaymentService/GetCapture': ({ captureId }) => ({ capture_id: captureId }),
  'PaymentService/ListCaptures': paymentId,
  'PaymentService/GetRefund': ({ refundId }) => ({ refund_id: refundId }),
  'PaymentService/ListRefunds': paymentId,
  'PaymentService/ListPaymentSteps': paymentId,
  'PaymentService/GetPayment': paymentId,
  'PaymentService/ChangePaymentNotes': paymentId,
  'PaymentService/ListPayments': accountId,
  'SandboxService/AdvanceTestClock': ({ account }) => ({
    ...{ account_id: account.id, seconds: 1 },
    request_id: randomUUID(),
  }),
  'LedgerService/ListEntries': accountId,
  'LedgerService/GetTransaction': ({ transactionId }) => ({ transaction_id: transactionId }),
  'LedgerService/GetAccountBalance': accountId,
  'LedgerService/GetStatement': ({ account }) => ({
    account_id: account.id,
    from: { seconds: Math.floor(Date.parse(account.created_at) / 1_000) },
    to: { seconds: Math.floor(Date.now() / 1_000) },
  }),
  'LedgerService/GetReceipt': paymentId,
  'ReconciliationService/GetReconciliation': ({ reconciliationId }) => ({
    reconciliation_id: reconciliationId,
  }),
  'NotificationService/ListNotifications': paymentId,
  'NotificationService/ListEvents': paymentId,
  'NotificationService/GetEvent': ({ eventId }) => ({ event_id: eventId }),
  'NotificationService/CreateWebhookEndpoint': newEndpoint,
  'NotificationService/GetWebhookEndpoint': endpointId,
  'NotificationService/UpdateWebhookEndpoint': (subject) => ({
    ...endpointId(subject),
    state: 'WEBHOOK_ENDPOINT_STATE_ENABLED',
  }),
  'NotificationService/DeleteWebhookEndpoint': async (subject) => ({
    endpoint_id: await endpointToDelete(subject),
  }),
  'NotificationService/RotateWebhookSecret': endpointId,
  'NotificationService/TestWebhookEndpoint': endpointId,
  'NotificationService/RedeliverWebhooks': (subject) => ({
    ...endpointId(subject),
    created_after: { seconds: Math.floor(Date.now() / 1_000) },
  }),
  'NotificationService/GetWebhookDelivery': ({ deliveryId }) => ({ delivery_id: deliveryId }),
  'NotificationService/RedeliverWebhook': ({ deliveryId }) => ({ delivery_id: deliveryId }),
  'DeadLetterService/GetDeadLetter': () => ({ dead_letter_id: UNKNOWN_DEAD_LETTER }),
  'AnalyticsService/GetAccountTotals': accountId,
};

export async function rpcRequest(rpc: string, subject: Subject): Promise<object> {
  return (await MESSAGES[rpc]?.(subject)) ?? {};
}
