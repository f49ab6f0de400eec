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
POST   /v1/auth/password                        401     ok     ok        ok       ok        ok     403
POST   /v1/auth/one-time-password               ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/login/second-factor             ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/browser-session                 ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/browser-session/second-factor   ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/browser-session/refresh         ok      ok     ok        ok       ok        ok     ok
DELETE /v1/auth/browser-session                 ok      ok     ok        ok       ok        ok     ok
POST   /v1/auth/second-factors                  401     ok     ok        ok       ok        ok     403
POST   /v1/auth/second-factors/{id}/confirm     401     404    404       404      404       404    403
GET    /v1/auth/second-factors                  401     ok     ok        ok       ok        ok     403
DELETE /v1/auth/second-factors/{id}             401     404    404       404      404       404    403
DELETE /v1/users/{id}/second-factors            401     403    403       403      403       ok     403
GET    /v1/auth/sessions                        401     ok     ok        ok       ok        ok     403
POST   /v1/auth/sessions/{id}/revoke            401     ok     404       404      404       404    403
POST   /v1/auth/logout-everywhere               401     ok     ok        ok       ok        ok     403
GET    /.well-known/jwks.json                   ok      ok     ok        ok       ok        ok     ok
POST   /v1/signing-keys/rotate                  401     403    403       403      403       ok     403
POST   /v1/api-clients                          401     403    403       403      403       ok     403
GET    /v1/api-clients                          401     403    403       ok       ok        ok     403
POST   /v1/api-clients/{id}/revoke              401     403    403       403      403       ok     403
POST   /v1/api-clients/{id}/rotate-secret       401     403    403       403      403       ok     403
DELETE /v1/api-clients/{id}/secret              401     403    403       403      403       ok     403
POST   /v1/api-clients/{id}/keys                401     403    403       403      403       ok     403
GET    /v1/api-clients/{id}/keys                401     403    403       ok       ok        ok     403
DELETE /v1/api-clients/{id}/keys/{kid}          401     403    403       403      403       404    403
POST   /v1/users                                401     403    403       403      403       ok     403
GET    /v1/users                                401     403    403       403      ok        ok     403
GET    /v1/users/{id}                           401     403    403       403      ok        ok     403
POST   /v1/users/{id}/disable                   401     403    403       403      403       ok     403
POST   /v1/users/{id}/enable                    401     403    403       403      403       ok     403
POST   /v1/users/{id}/reset-password            401     403    403       403      403       ok     403
GET    /v1/users/{id}/sessions                  401     403    403       403      403       ok     403
POST   /v1/users/{id}/sessions/{session_id}/revoke 401  403    403       403      403       ok     403
POST   /v1/users/{id}/logout-everywhere         401     403    403       403      403       ok     403
PATCH  /v1/users/{id}                           401     403    403       403      403       ok     403
GET    /v1/currencies                           ok      ok     ok        ok       ok        ok     ok
GET    /v1/audit/accounts                       401     403    403       ok       ok        403    403
GET    /v1/audit/payments                       401     403    403       ok       ok        403    403
GET    /v1/audit/webhooks                       401     403    403       ok       ok        403    403
GET    /v1/audit/identities                     401     403    403       ok       ok        ok     403
GET    /v1/audit/dead-letters                   401     403    403       ok       ok        403    403

POST   /v1/accounts                             401     403    403       403      ok        403    403
POST   /v1/accounts/batch                       401     403    403       403      ok        403    403
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
PATCH  /v1/payments/{id}                        401     ok     404       403      403       403    403
GET    /v1/payments/{id}/timeline               401     ok     404       ok       ok        403    403
POST   /v1/payments/{id}/capture                401     ok     404       403      ok        403    403
POST   /v1/payments/{id}/cancel                 401     ok     404       403      ok        403    403
POST   /v1/payments/{id}/refunds                401     ok     404       403      ok        403    403
GET    /v1/payments/{id}/refunds                401     ok     404       ok       ok        403    403
GET    /v1/captures                             401     ok     none      ok       ok        403    403
GET    /v1/captures/{id}                        401     ok     404       ok       ok        403    403
GET    /v1/refunds                              401     ok     none      ok       ok        403    403
GET    /v1/refunds/{id}                         401     ok     404       ok       ok        403    403
POST   /v1/payments/simulate                    401     ok     404       403      ok        403    403
POST   /v1/sandbox/accounts/{id}/advance        401     ok     404       403      ok        403    403

POST   /v1/mandates                             401     ok     404       403      404       403    403
GET    /v1/mandates                             401     ok     none      ok       ok        403    403
GET    /v1/mandates/{id}                        401     ok     404       ok       ok        403    403
POST   /v1/mandates/{id}/revoke                 401     ok     404       403      ok        403    403

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
GET    /v1/notification-preferences             401     ok     ok        ok       ok        ok     403
PUT    /v1/notification-preferences             401     ok     ok        ok       ok        ok     403
GET    /v1/mails                                401     403    403       ok       ok        403    403
GET    /v1/mail-suppressions                    401     403    403       ok       ok        403    403
DELETE /v1/mail-suppressions/{id}               401     403    403       403      404       403    403
POST   /v1/email-confirmations                  ok      ok     ok        ok       ok        ok     ok
POST   /v1/email-confirmations/resend           401     ok     ok        ok       ok        ok     403
GET    /v1/events                               401     ok     none      ok       ok        403    403
GET    /v1/events/{id}                          401     ok     404       ok       ok        403    403
GET    /v1/events/stream                        401     ok     ok        ok       ok        403    403
POST   /v1/webhook-endpoints                    401     ok     ok        403      ok        403    403
GET    /v1/webhook-endpoints                    401     ok     none      ok       ok        403    403
GET    /v1/webhook-endpoints/{id}               401     ok     404       ok       ok        403    403
PATCH  /v1/webhook-endpoints/{id}               401     ok     404       403      ok        403    403
DELETE /v1/webhook-endpoints/{id}               401     ok     404       403      403       403    403
POST   /v1/webhook-endpoints/{id}/rotate-secret 401     ok     404       403      403       403    403
POST   /v1/webhook-endpoints/{id}/test          401     ok     404       403      403       403    403
POST   /v1/webhook-endpoints/{id}/redeliver     401     ok     404       403      403       403    403
GET    /v1/webhook-deliveries                   401     ok     none      ok       ok        403    403
GET    /v1/webhook-deliveries/{id}              401     ok     404       ok       ok        403    403
POST   /v1/webhook-deliveries/{id}/redeliver    401     ok     404       403      403       403    403
GET    /v1/analytics/summary                    401     403    403       ok       ok        403    403
GET    /v1/analytics/daily                      401     403    403       ok       ok        403    403
GET    /v1/analytics/accounts/{id}              401     ok     404       ok       ok        403    403
GET    /v1/dead-letters                         401     403    403       ok       ok        403    403
GET    /v1/dead-letters/{id}                    401     403    403       404      404       403    403
POST   /v1/dead-letters/{id}/redrive            401     403    403       403      404       403    403
POST   /v1/dead-letters/redrive                 401     403    403       403      ok        403    403
GET    /v1/pipeline                             401     403    403       ok       ok        403    403
GET    /v1/services                             401     403    403       ok       ok        403    403
GET    /v1/search                               401     403    403       ok       ok        403    403
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
AuthService/GetUser                             401     403    403       403      ok        ok     403
AuthService/UpdateUser                          401     403    403       403      403       ok     403
AuthService/ChangeUserState                     401     403    403       403      403       ok     403
AuthService/ResetPassword                       401     403    403       403      403       ok     403
AuthService/ReplaceOneTimePassword              ok      ok     ok        ok       ok        ok     ok
AuthService/ChangePassword                      401     ok     ok        ok       ok        ok     403
AuthService/CompleteLogin                       ok      ok     ok        ok       ok        ok     ok
AuthService/CreateSecondFactor                  401     ok     ok        ok       ok        ok     403
AuthService/ConfirmSecondFactor                 401     404    404       404      404       404    403
AuthService/ListSecondFactors                   401     ok     ok        ok       ok        ok     403
AuthService/DeleteSecondFactor                  401     404    404       404      404       404    403
AuthService/DeleteUserSecondFactors             401     403    403       403      403       ok     403
AuthService/ListSessions                        401     ok     ok        ok       ok        ok     403
AuthService/RevokeSession                       401     ok     404       404      404       404    403
AuthService/RevokeAllSessions                   401     ok     ok        ok       ok        ok     403
AuthService/ListUserSessions                    401     403    403       403      403       ok     403
AuthService/RevokeUserSession                   401     403    403       403      403       ok     403
AuthService/RevokeAllUserSessions               401     403    403       403      403       ok     403
AuthService/CreateApiClient                     401     403    403       403      403       ok     403
AuthService/ListApiClients                      401     403    403       ok       ok        ok     403
AuthService/RevokeApiClient                     401     403    403       403      403       ok     403
AuthService/RotateApiClientSecret               401     403    403       403      403       ok     403
AuthService/RemoveApiClientSecret               401     403    403       403      403       ok     403
AuthService/AddApiClientKey                     401     403    403       403      403       ok     403
AuthService/ListApiClientKeys                   401     403    403       ok       ok        ok     403
AuthService/RemoveApiClientKey                  401     403    403       403      403       404    403
AuthService/RotateSigningKey                    401     403    403       403      403       ok     403
AuthService/ListIdentityAuditRecords            401     403    403       ok       ok        ok     403

AuthService/ConfirmEmail                        ok      ok     ok        ok       ok        ok     ok
AuthService/ResendEmailConfirmation             401     ok     ok        ok       ok        ok     403

AccountService/CreateAccount                    401     403    403       403      ok        403    403
AccountService/BatchCreateAccounts              401     403    403       403      ok        403    403
AccountService/GetAccount                       401     ok     404       ok       ok        403    ok
AccountService/ListAccounts                     401     ok     none      ok       ok        403    ok
AccountService/ListAccountIds                   401     ok     none      403      403       403    ok
AccountService/UpdateAccount                    401     403    403       403      ok        403    403
AccountService/ChangeAccountState               401     403    403       403      ok        403    403
AccountService/ListAccountAuditRecords          401     403    403       ok       ok        403    403
AccountService/ListBalances                     401     403    403       ok       ok        403    403

MandateService/CreateMandate                    401     ok     404       403      404       403    403
MandateService/GetMandate                       401     ok     404       ok       ok        403    403
MandateService/ListMandates                     401     ok     none      ok       ok        403    403
MandateService/RevokeMandate                    401     ok     404       403      ok        403    403

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
PaymentService/GetCapture                       401     ok     404       ok       ok        403    403
PaymentService/ListCaptures                     401     ok     404       ok       ok        403    403
PaymentService/GetRefund                        401     ok     404       ok       ok        403    403
PaymentService/ListRefunds                      401     ok     404       ok       ok        403    403
PaymentService/ListPaymentSteps                 401     ok     404       ok       ok        403    403
PaymentService/SimulatePayment                  401     ok     404       403      ok        403    403
PaymentService/GetPayment                       401     ok     404       ok       ok        403    403
PaymentService/ChangePaymentNotes               401     ok     404       403      403       403    403
SandboxService/AdvanceTestClock                 401     ok     404       403      ok        403    403
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
LedgerService/GetLastProof                      401     403    403       ok       ok        403    403
PipelineService/GetPipeline                     401     403    403       ok       ok        403    403
ReconciliationService/RunReconciliation         401     403    403       403      ok        403    403
ReconciliationService/GetReconciliation         401     403    403       ok       ok        403    403
ReconciliationService/ListReconciliations       401     403    403       ok       ok        403    403
NotificationService/ListNotifications           401     ok     none      ok       ok        403    403
PreferenceService/GetNotificationPreferences    401     ok     ok        ok       ok        ok     403
PreferenceService/ReplaceNotificationPreferences 401    ok     ok        ok       ok        ok     403
MailService/ListMails                           401     403    403       ok       ok        403    403
MailService/ListMailSuppressions                401     403    403       ok       ok        403    403
MailService/LiftMailSuppression                 401     403    403       403      404       403    403
DeadLetterService/ListDeadLetters               401     403    403       ok       ok        403    403
DeadLetterService/GetDeadLetter                 401     403    403       404      404       403    403
DeadLetterService/RedriveDeadLetters            401     403    403       403      ok        403    403
DeadLetterService/ListDeadLetterAuditRecords    401     403    403       ok       ok        403    403
NotificationService/ListEvents                  401     ok     none      ok       ok        403    403
NotificationService/GetEvent                    401     ok     404       ok       ok        403    403
NotificationService/FollowEvents                401     ok     ok        ok       ok        403    403
NotificationService/CreateWebhookEndpoint       401     ok     ok        403      ok        403    403
NotificationService/ListWebhookEndpoints        401     ok     none      ok       ok        403    403
NotificationService/GetWebhookEndpoint          401     ok     404       ok       ok        403    403
NotificationService/UpdateWebhookEndpoint       401     ok     404       403      ok        403    403
NotificationService/DeleteWebhookEndpoint       401     ok     404       403      403       403    403
NotificationService/RotateWebhookSecret         401     ok     404       403      403       403    403
NotificationService/TestWebhookEndpoint         401     ok     404       403      403       403    403
NotificationService/RedeliverWebhooks           401     ok     404       403      403       403    403
NotificationService/ListWebhookDeliveries       401     ok     none      ok       ok        403    403
NotificationService/GetWebhookDelivery          401     ok     404       ok       ok        403    403
NotificationService/RedeliverWebhook            401     ok     404       403      403       403    403
NotificationService/ListWebhookAuditRecords     401     403    403       ok       ok        403    403
AnalyticsService/GetSummary                     401     403    403       ok       ok        403    403
AnalyticsService/ListDailyTotals                401     403    403       ok       ok        403    403
AnalyticsService/GetAccountTotals               401     ok     404       ok       ok        403    403

Between the services, and for nobody else:
AuthService/ListRevocations                     401     403    403       403      403       403    403
AuthorizationService/BatchAuthorize             401     403    403       403      403       403    403
AuthorizationService/CaptureHold                401     403    403       403      403       403    403
AuthorizationService/ReleaseHold                401     403    403       403      403       403    403
AuthorizationService/RefundTransfer             401     403    403       403      403       403    403
AuthorizationService/SimulateAuthorization      401     403    403       403      403       403    403
AuthService/GetEmailConfirmation                401     403    403       403      403       403    403
TestClockService/AdvanceAccount                 401     403    403       403      403       403    403
PaymentService/BatchCreatePayments              401     403    403       403      403       403    403
PaymentService/ListAccountFigures               401     403    403       403      403       403    403
NotificationService/ListAccountFigures          401     403    403       403      403       403    403
NotificationService/CountMissingRecords         401     403    403       403      403       403    403
AnalyticsService/ListAccountFigures             401     403    403       403      403       403    403
`;

/** The services that may call an RPC in their own name, by their certificates. No service may call any other RPC that is not public. */
export const SERVICE_CALLERS: Readonly<Record<string, readonly string[]>> = {
  'AccountService/GetAccount': ['notification'],
  'AccountService/ListBalances': ['ledger'],
  'AuthService/GetEmailConfirmation': ['notification'],
  'AuthService/ListRevocations': [
    'gateway',
    'authorization',
    'payment',
    'ledger',
    'notification',
    'analytics',
  ],
  'AuthorizationService/BatchAuthorize': ['payment'],
  'AuthorizationService/CaptureHold': ['payment'],
  'AuthorizationService/ReleaseHold': ['payment'],
  'AuthorizationService/RefundTransfer': ['payment'],
  'AuthorizationService/SimulateAuthorization': ['payment'],
  'TestClockService/AdvanceAccount': ['payment'],
  'PaymentService/BatchCreatePayments': ['gateway'],
  'PaymentService/GetRecoveryStatus': ['ledger'],
  'PaymentService/ListAccountFigures': ['ledger'],
  'NotificationService/ListAccountFigures': ['ledger'],
  'NotificationService/CountMissingRecords': ['ledger'],
  'AnalyticsService/ListAccountFigures': ['ledger'],
};

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
