/** The services behind the gateway, each over a channel of its own. */
import { connectGrpc, type Neighbour } from '@payflowx/chassis';
import { AnalyticsServiceClient, type AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AuthServiceClient, type AuthServiceService } from '@payflowx/proto/auth';
import { AccountServiceClient, type AccountServiceService } from '@payflowx/proto/authorization';
import { LedgerServiceClient, type LedgerServiceService } from '@payflowx/proto/ledger';
import { NotificationServiceClient, type NotificationServiceService } from '@payflowx/proto/notification';
import { PaymentServiceClient, type PaymentServiceService } from '@payflowx/proto/payment';

/** By the name of the service that answers: accounts are authorization's. */
export interface Neighbours {
  auth: Neighbour<AuthServiceService>;
  authorization: Neighbour<AccountServiceService>;
  payment: Neighbour<PaymentServiceService>;
  ledger: Neighbour<LedgerServiceService>;
  notification: Neighbour<NotificationServiceService>;
  analytics: Neighbour<AnalyticsServiceService>;
}

export type Targets = Record<keyof Neighbours, string>;

/** `token` is the gateway's own, for the calls that it makes in its own name. */
export function connectNeighbours(targets: Targets, token: () => Promise<string>): Neighbours {
  return {
    // Logins and refreshes are never sent twice: a refresh token spent twice would revoke its family.
    auth: connectGrpc(AuthServiceClient, {
      target: targets.auth,
      // Auth believes what we say of a client's address only beside our own token.
      token,
      retryable: ['getMe', 'listUsers', 'getJwks', 'listIdentityAuditRecords'],
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
      retryable: ['listEntries', 'getTransaction', 'getAccountBalance', 'getProof'],
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

/** Names of the services that do not say that they serve. */
export async function findNotServing(neighbours: Neighbours, deadlineMs: number): Promise<string[]> {
  const checks = Object.entries(neighbours).map(async ([name, neighbour]) => ({
    name,
    serving: await neighbour.isServing(deadlineMs),
  }));
  return (await Promise.all(checks)).filter(({ serving }) => !serving).map(({ name }) => name);
}
