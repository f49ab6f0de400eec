/** The services behind the gateway, each over a channel of its own. */
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

/** Where each service is. */
export type Targets = Record<
  'auth' | 'authorization' | 'payment' | 'ledger' | 'notification' | 'analytics',
  string
>;

/** By the name of the service that answers: accounts are authorization's. What else a service answers has a client of its own. */
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

/** `token` is the gateway's own, for the calls that it makes in its own name. */
export function connectNeighbours(targets: Targets, token: () => Promise<string>): Neighbours {
  return {
    // Logins and refreshes are never sent twice: a refresh token spent twice would revoke its family. Nor is a new secret asked for
    // twice: the first would be lost.
    auth: connectGrpc(AuthServiceClient, {
      target: targets.auth,
      // Auth believes what we say of a client's address only beside our own token.
      token,
      retryable: [
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
    // A reconciliation that was begun twice would be two reports.
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

/** Each answers for the process that it lives in. */
const PROCESSES = [
  'auth',
  'authorization',
  'payment',
  'ledger',
  'notification',
  'analytics',
] as const satisfies (keyof Targets)[];

/** Names of the services that do not say that they serve. */
export async function findNotServing(neighbours: Neighbours, deadlineMs: number): Promise<string[]> {
  const checks = PROCESSES.map(async (name) => ({
    name,
    serving: await neighbours[name].isServing(deadlineMs),
  }));
  return (await Promise.all(checks)).filter(({ serving }) => !serving).map(({ name }) => name);
}
