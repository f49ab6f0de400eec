/** Clients of the services behind the gateway, each with its own channel. */
import { connectGrpc, type Neighbour } from '@payflowx/chassis';
import { AnalyticsServiceClient, type AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AuthServiceClient, type AuthServiceService } from '@payflowx/proto/auth';
import {
  AccountServiceClient,
  type AccountServiceService,
  RuleServiceClient,
  type RuleServiceService,
} from '@payflowx/proto/authorization';
import {
  LedgerServiceClient,
  type LedgerServiceService,
  ReconciliationServiceClient,
  type ReconciliationServiceService,
} from '@payflowx/proto/ledger';
import { NotificationServiceClient, type NotificationServiceService } from '@payflowx/proto/notification';
import { PaymentServiceClient, type PaymentServiceService } from '@payflowx/proto/payment';

/** The gRPC target of each service. */
export type Targets = Record<
  'auth' | 'authorization' | 'payment' | 'ledger' | 'notification' | 'analytics',
  string
>;

/**
 * Clients by service name. Accounts are part of authorization. A further gRPC service of the same process has a client of its
 * own.
 */
export interface Neighbours {
  auth: Neighbour<AuthServiceService>;
  authorization: Neighbour<AccountServiceService>;
  rules: Neighbour<RuleServiceService>;
  payment: Neighbour<PaymentServiceService>;
  ledger: Neighbour<LedgerServiceService>;
  reconciliations: Neighbour<ReconciliationServiceService>;
  notification: Neighbour<NotificationServiceService>;
  analytics: Neighbour<AnalyticsServiceService>;
}

/** `token` returns the gateway's own service token, for the calls that it makes in its own name. */
export function connectNeighbours(targets: Targets, token: () => Promise<string>): Neighbours {
  return {
    // Logins are never retried, nor are requests for a new secret: the first secret would be lost. A refresh is retried with the
    // same request id, so it does not count as a second use.
    auth: connectGrpc(AuthServiceClient, {
      target: targets.auth,
      // Auth trusts the client address in a request only if the gateway's own token comes with it.
      token,
      retryable: [
        'refreshTokens',
        'getMe',
        'listUsers',
        'getJwks',
        'listApiClients',
        'revokeApiClient',
        'rotateSigningKey',
        'listIdentityAuditRecords',
      ],
    }),
    authorization: connectGrpc(AccountServiceClient, {
      target: targets.authorization,
      retryable: [
        'getAccount',
        'listAccounts',
        'listAccountAuditRecords',
        'createAccount',
        'changeAccountState',
      ],
    }),
    rules: connectGrpc(RuleServiceClient, {
      target: targets.authorization,
      retryable: ['createRule', 'getRule', 'listRules', 'listRuleVersions', 'backtestRule'],
    }),
    payment: connectGrpc(PaymentServiceClient, {
      target: targets.payment,
      token,
      retryable: [
        'batchCreatePayments',
        'createDeposit',
        'createWithdrawal',
        'capturePayment',
        'cancelPayment',
        'createRefund',
        'simulatePayment',
        'getPayment',
        'listPayments',
        'listRefunds',
        'listPaymentSteps',
        'listPaymentAuditRecords',
      ],
    }),
    ledger: connectGrpc(LedgerServiceClient, {
      target: targets.ledger,
      retryable: [
        'listEntries',
        'getTransaction',
        'getAccountBalance',
        'getStatement',
        'getSealedHead',
        'getReceipt',
        'getProof',
      ],
    }),
    // A reconciliation that is started twice would give two reports.
    reconciliations: connectGrpc(ReconciliationServiceClient, {
      target: targets.ledger,
      retryable: ['getReconciliation', 'listReconciliations'],
    }),
    notification: connectGrpc(NotificationServiceClient, {
      target: targets.notification,
      retryable: ['listNotifications'],
    }),
    analytics: connectGrpc(AnalyticsServiceClient, {
      target: targets.analytics,
      retryable: ['getSummary', 'listDailyTotals', 'getAccountTotals'],
    }),
  };
}

export function closeNeighbours(neighbours: Neighbours): void {
  for (const neighbour of Object.values(neighbours)) neighbour.close();
}

/** One client for each process. Its health check covers the whole process. */
const PROCESSES = [
  'auth',
  'authorization',
  'payment',
  'ledger',
  'notification',
  'analytics',
] as const satisfies (keyof Targets)[];

/** Returns the names of the services that do not report SERVING. */
export async function findNotServing(neighbours: Neighbours, deadlineMs: number): Promise<string[]> {
  const checks = PROCESSES.map(async (name) => ({
    name,
    serving: await neighbours[name].isServing(deadlineMs),
  }));
  return (await Promise.all(checks)).filter(({ serving }) => !serving).map(({ name }) => name);
}
