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
  transactionId: string;
  ruleId: string;
  reconciliationId: string;
  /** Alice's API client, the caller. */
  client: { id: string; secret: string };
  /** Another API client, to be revoked. */
  spareClientId: string;
  owner: Session;
  demo: Demo;
}

type Request = (subject: Subject) => object | Promise<object>;

const newPayment = ({ account, payment }: Subject) => ({
  from_account: account.id,
  to_account: payment.to_account,
  currency: 'EUR',
});
const newAccount = ({ owner }: Subject) => ({ owner_id: owner.user.id, currency: 'EUR' });
const newUser = () => ({ username: `user-${randomUUID()}`, password: randomUUID(), roles: ['customer'] });
const newClient = ({ owner }: Subject) => ({
  name: 'Spare',
  user_id: owner.user.id,
  scopes: ['accounts:read'],
});
const newRule = () => ({ name: `access-${randomUUID()}`, expression: 'false' });
const login = ({ owner: { user } }: Subject) => ({ username: user.username, password: user.password });
const clientLogin = ({ client: { id, secret } }: Subject) => ({ client_id: id, client_secret: secret });

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
  'POST /v1/api-clients': newClient,
  'POST /v1/users': newUser,
  'POST /v1/accounts': newAccount,
  'PATCH /v1/accounts/{id}': () => ({ name: 'Holidays' }),
  'POST /v1/deposits': ({ account }) => ({ account_id: account.id, amount: 1, currency: 'EUR' }),
  'POST /v1/withdrawals': ({ account }) => ({ account_id: account.id, amount: 1, currency: 'EUR' }),
  'POST /v1/payments': (subject) => ({ ...newPayment(subject), amount: 1 }),
  'POST /v1/payments/simulate': (subject) => ({ ...newPayment(subject), amount: 1 }),
  'POST /v1/rules': () => ({ ...newRule(), action: 'shadow' }),
  'PATCH /v1/rules/{id}': () => ({ enabled: false }),
  'POST /v1/rules/backtest': () => ({ expression: 'false' }),
};

const ID_IN: [path: string, id: (subject: Subject) => string][] = [
  ['/accounts/', ({ account }) => account.id],
  ['/payments/', ({ payment }) => payment.id],
  ['/transactions/', ({ transactionId }) => transactionId],
  ['/rules/', ({ ruleId }) => ruleId],
  ['/reconciliations/', ({ reconciliationId }) => reconciliationId],
  ['/api-clients/', ({ spareClientId }) => spareClientId],
];

export async function restRequest(route: string, subject: Subject): Promise<{ path: string; body: Body }> {
  const [method, template = ''] = route.split(' ');
  const id = ID_IN.find(([part]) => template.includes(`${part}{id}`))?.[1](subject) ?? '';
  const body = method === 'GET' ? undefined : await (BODIES[route]?.(subject) ?? {});
  return { path: template.replace('{id}', id), body };
}

const accountId: Request = ({ account }) => ({ account_id: account.id });
const paymentId: Request = ({ payment }) => ({ payment_id: payment.id });
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
  'AuthService/CreateApiClient': newClient,
  'AuthService/RevokeApiClient': ({ spareClientId }) => ({ client_id: spareClientId }),
  'AuthService/RotateApiClientSecret': ({ spareClientId }) => ({ client_id: spareClientId }),
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
  'PaymentService/ListRefunds': paymentId,
  'PaymentService/ListPaymentSteps': paymentId,
  'PaymentService/GetPayment': paymentId,
  'PaymentService/ListPayments': accountId,
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
  'AnalyticsService/GetAccountTotals': accountId,
};

export async function rpcRequest(rpc: string, subject: Subject): Promise<object> {
  return (await MESSAGES[rpc]?.(subject)) ?? {};
}
