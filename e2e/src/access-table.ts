/**
 * The expected outcome of every route and RPC for each kind of caller. A route or RPC without a line here fails the test, and so
 * does a line without a route or RPC.
 *
 * Columns:
 *
 *     nobody      no token, or a forged one
 *     owner       Alice, the owner of the account and the payer
 *     stranger    Bob, who owns neither
 *     operator    only this role; the demo's operator is also an admin
 *     client      Alice's API client, only with the scope accounts:read
 *
 * Outcomes:
 *
 *     ok          allowed; the result may be any
 *     none        a list without Alice's data
 *     401 403 404 refused: not authenticated, wrong role or scope, hidden. In gRPC: UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND
 */
const TABLE = `
                                                nobody  owner  stranger  auditor  operator  admin  client

POST   /v1/auth/login                           ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/refresh                         ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/logout                          ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/token                           ok      ok     ok        ok       ok        ok     ok
GET    /v1/auth/me                              401     ok     ok        ok       ok        ok     403
GET    /.well-known/jwks.json                   ok      ok     ok        ok       ok        ok     ok
POST   /v1/signing-keys/rotate                  401     403    403       403      403       ok     403
POST   /v1/api-clients                          401     403    403       403      403       ok     403
GET    /v1/api-clients                          401     403    403       ok       ok        ok     403
POST   /v1/api-clients/{id}/revoke              401     403    403       403      403       ok     403
POST   /v1/api-clients/{id}/rotate-secret       401     403    403       403      403       ok     403
POST   /v1/users                                401     403    403       403      403       ok     403
GET    /v1/users                                401     403    403       403      ok        ok     403
GET    /v1/currencies                           ok      ok     ok        ok       ok        ok     ok
GET    /v1/audit/accounts                       401     403    403       ok       ok        403    403
GET    /v1/audit/payments                       401     403    403       ok       ok        403    403
GET    /v1/audit/identities                     401     403    403       ok       ok        ok     403

POST   /v1/accounts                             401     403    403       403      ok        403    403
GET    /v1/accounts                             401     ok     none      ok       ok        403    ok
GET    /v1/accounts/{id}                        401     ok     404       ok       ok        403    ok
PATCH  /v1/accounts/{id}                        401     403    403       403      ok        403    403
POST   /v1/accounts/{id}/freeze                 401     403    403       403      ok        403    403
POST   /v1/accounts/{id}/unfreeze               401     403    403       403      ok        403    403
POST   /v1/accounts/{id}/close                  401     403    403       403      ok        403    403
POST   /v1/deposits                             401     403    403       403      ok        403    403
POST   /v1/withdrawals                          401     403    403       403      ok        403    403

POST   /v1/payments                             401     ok     404       403      ok        403    403
GET    /v1/payments                             401     ok     none      ok       ok        403    403
GET    /v1/payments/{id}                        401     ok     404       ok       ok        403    403
GET    /v1/payments/{id}/timeline               401     ok     404       ok       ok        403    403
POST   /v1/payments/{id}/capture                401     ok     404       403      ok        403    403
POST   /v1/payments/{id}/cancel                 401     ok     404       403      ok        403    403
POST   /v1/payments/{id}/refunds                401     ok     404       403      ok        403    403
GET    /v1/payments/{id}/refunds                401     ok     404       ok       ok        403    403
POST   /v1/payments/simulate                    401     ok     404       403      ok        403    403

POST   /v1/rules                                401     403    403       403      ok        403    403
GET    /v1/rules                                401     403    403       ok       ok        403    403
GET    /v1/rules/{id}                           401     403    403       ok       ok        403    403
PATCH  /v1/rules/{id}                           401     403    403       403      ok        403    403
GET    /v1/rules/{id}/versions                  401     403    403       ok       ok        403    403
POST   /v1/rules/backtest                       401     403    403       ok       ok        403    403

GET    /v1/ledger/entries                       401     ok     none      ok       ok        403    403
GET    /v1/ledger/transactions/{id}             401     ok     404       ok       ok        403    403
GET    /v1/ledger/accounts/{id}/balance         401     ok     404       ok       ok        403    403
GET    /v1/ledger/accounts/{id}/statement       401     ok     404       ok       ok        403    403
GET    /v1/ledger/head                          401     ok     ok        ok       ok        403    403
GET    /v1/ledger/payments/{id}/receipt         401     ok     404       ok       ok        403    403
GET    /v1/ledger/proof                         401     403    403       ok       ok        403    403
POST   /v1/ledger/reconciliations               401     403    403       403      ok        403    403
GET    /v1/ledger/reconciliations               401     403    403       ok       ok        403    403
GET    /v1/ledger/reconciliations/{id}          401     403    403       ok       ok        403    403
GET    /v1/notifications                        401     ok     none      ok       ok        403    403
GET    /v1/analytics/summary                    401     403    403       ok       ok        403    403
GET    /v1/analytics/daily                      401     403    403       ok       ok        403    403
GET    /v1/analytics/accounts/{id}              401     ok     404       ok       ok        403    403
GET    /healthz                                 ok      ok     ok        ok       ok        ok     ok
GET    /readyz                                  ok      ok     ok        ok       ok        ok     ok

AuthService/Login                               ok      ok     ok        ok       ok        ok     ok
AuthService/LoginClient                         ok      ok     ok        ok       ok        ok     ok
AuthService/RefreshTokens                       ok      ok     ok        ok       ok        ok     ok
AuthService/Logout                              ok      ok     ok        ok       ok        ok     ok
AuthService/GetJwks                             ok      ok     ok        ok       ok        ok     ok
AuthService/GetMe                               401     ok     ok        ok       ok        ok     403
AuthService/CreateUser                          401     403    403       403      403       ok     403
AuthService/ListUsers                           401     403    403       403      ok        ok     403
AuthService/CreateApiClient                     401     403    403       403      403       ok     403
AuthService/ListApiClients                      401     403    403       ok       ok        ok     403
AuthService/RevokeApiClient                     401     403    403       403      403       ok     403
AuthService/RotateApiClientSecret               401     403    403       403      403       ok     403
AuthService/RotateSigningKey                    401     403    403       403      403       ok     403
AuthService/ListIdentityAuditRecords            401     403    403       ok       ok        ok     403

AccountService/CreateAccount                    401     403    403       403      ok        403    403
AccountService/BatchCreateAccounts              401     403    403       403      ok        403    403
AccountService/GetAccount                       401     ok     404       ok       ok        403    ok
AccountService/ListAccounts                     401     ok     none      ok       ok        403    ok
AccountService/ListAccountIds                   401     ok     none      403      403       403    ok
AccountService/UpdateAccount                    401     403    403       403      ok        403    403
AccountService/ChangeAccountState               401     403    403       403      ok        403    403
AccountService/ListAccountAuditRecords          401     403    403       ok       ok        403    403
AccountService/ListBalances                     401     403    403       ok       ok        403    403

RuleService/CreateRule                          401     403    403       403      ok        403    403
RuleService/UpdateRule                          401     403    403       403      ok        403    403
RuleService/GetRule                             401     403    403       ok       ok        403    403
RuleService/ListRules                           401     403    403       ok       ok        403    403
RuleService/ListRuleVersions                    401     403    403       ok       ok        403    403
RuleService/BacktestRule                        401     403    403       ok       ok        403    403

PaymentService/CreatePayment                    401     ok     404       403      ok        403    403
PaymentService/CreateDeposit                    401     403    403       403      ok        403    403
PaymentService/CreateWithdrawal                 401     403    403       403      ok        403    403
PaymentService/CapturePayment                   401     ok     404       403      ok        403    403
PaymentService/CancelPayment                    401     ok     404       403      ok        403    403
PaymentService/CreateRefund                     401     ok     404       403      ok        403    403
PaymentService/ListRefunds                      401     ok     404       ok       ok        403    403
PaymentService/ListPaymentSteps                 401     ok     404       ok       ok        403    403
PaymentService/SimulatePayment                  401     ok     404       403      ok        403    403
PaymentService/GetPayment                       401     ok     404       ok       ok        403    403
PaymentService/ListPayments                     401     ok     none      ok       ok        403    403
PaymentService/ListPaymentAuditRecords          401     403    403       ok       ok        403    403
PaymentService/GetRecoveryStatus                401     403    403       ok       ok        403    403

LedgerService/ListEntries                       401     ok     404       ok       ok        403    403
LedgerService/GetTransaction                    401     ok     404       ok       ok        403    403
LedgerService/GetAccountBalance                 401     ok     404       ok       ok        403    403
LedgerService/GetStatement                      401     ok     404       ok       ok        403    403
LedgerService/GetSealedHead                     401     ok     ok        ok       ok        403    403
LedgerService/GetReceipt                        401     ok     404       ok       ok        403    403
LedgerService/GetProof                          401     403    403       ok       ok        403    403
ReconciliationService/RunReconciliation         401     403    403       403      ok        403    403
ReconciliationService/GetReconciliation         401     403    403       ok       ok        403    403
ReconciliationService/ListReconciliations       401     403    403       ok       ok        403    403
NotificationService/ListNotifications           401     ok     none      ok       ok        403    403
AnalyticsService/GetSummary                     401     403    403       ok       ok        403    403
AnalyticsService/ListDailyTotals                401     403    403       ok       ok        403    403
AnalyticsService/GetAccountTotals               401     ok     404       ok       ok        403    403

Between the services, and for nobody else:
AuthorizationService/BatchAuthorize             401     403    403       403      403       403    403
AuthorizationService/CaptureHold                401     403    403       403      403       403    403
AuthorizationService/ReleaseHold                401     403    403       403      403       403    403
AuthorizationService/RefundTransfer             401     403    403       403      403       403    403
AuthorizationService/SimulateAuthorization      401     403    403       403      403       403    403
PaymentService/BatchCreatePayments              401     403    403       403      403       403    403
PaymentService/ListAccountFigures               401     403    403       403      403       403    403
NotificationService/ListAccountFigures          401     403    403       403      403       403    403
AnalyticsService/ListAccountFigures             401     403    403       403      403       403    403
`;

export const CALLERS = ['nobody', 'owner', 'stranger', 'auditor', 'operator', 'admin', 'client'] as const;
export type CallerName = (typeof CALLERS)[number];

export interface Line {
  /** `GET /v1/payments` or `PaymentService/ListPayments`. */
  name: string;
  /** The outcome of each caller, in one line of text. */
  outcomes: string;
}

const LINE = /^((?:[A-Z]+ +)?\S*\/\S+) +((?:ok|none|401|403|404)(?: +(?:ok|none|401|403|404)){6})$/;

export const ACCESS: Line[] = TABLE.split('\n').flatMap((line) => {
  const [, name, outcomes] = LINE.exec(line) ?? [];
  return name && outcomes ? [{ name: inOne(name), outcomes: inOne(outcomes) }] : [];
});

function inOne(text: string): string {
  return text.replace(/ +/g, ' ');
}
