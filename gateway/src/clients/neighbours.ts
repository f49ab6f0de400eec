/** Clients of the services behind the gateway, each with its own channel. */
import { type Certificates, connectGrpc, type Neighbour } from '@payflowx/chassis';
import { AnalyticsServiceClient, type AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AuthServiceClient, type AuthServiceService } from '@payflowx/proto/auth';
import {
  AccountServiceClient,
  type AccountServiceService,
  MandateServiceClient,
  type MandateServiceService,
  RuleServiceClient,
  type RuleServiceService,
} from '@payflowx/proto/authorization';
import { DeadLetterServiceClient, type DeadLetterServiceService } from '@payflowx/proto/dead-letters';
import {
  LedgerServiceClient,
  type LedgerServiceService,
  ReconciliationServiceClient,
  type ReconciliationServiceService,
} from '@payflowx/proto/ledger';
import {
  MailServiceClient,
  type MailServiceService,
  NotificationServiceClient,
  type NotificationServiceService,
  PreferenceServiceClient,
  type PreferenceServiceService,
} from '@payflowx/proto/notification';
import {
  PaymentServiceClient,
  type PaymentServiceService,
  SandboxServiceClient,
  type SandboxServiceService,
} from '@payflowx/proto/payment';
import { PipelineServiceClient, type PipelineServiceService } from '@payflowx/proto/pipeline';

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
  mandates: Neighbour<MandateServiceService>;
  rules: Neighbour<RuleServiceService>;
  payment: Neighbour<PaymentServiceService>;
  ledger: Neighbour<LedgerServiceService>;
  reconciliations: Neighbour<ReconciliationServiceService>;
  notification: Neighbour<NotificationServiceService>;
  preferences: Neighbour<PreferenceServiceService>;
  mails: Neighbour<MailServiceService>;
  analytics: Neighbour<AnalyticsServiceService>;
  paymentSandbox: Neighbour<SandboxServiceService>;
  paymentDeadLetters: Neighbour<DeadLetterServiceService>;
  notificationDeadLetters: Neighbour<DeadLetterServiceService>;
  authDeadLetters: Neighbour<DeadLetterServiceService>;
  paymentPipeline: Neighbour<PipelineServiceService>;
  authPipeline: Neighbour<PipelineServiceService>;
  ledgerPipeline: Neighbour<PipelineServiceService>;
  notificationPipeline: Neighbour<PipelineServiceService>;
  analyticsPipeline: Neighbour<PipelineServiceService>;
}

export function connectNeighbours(targets: Targets, certificates: Certificates): Neighbours {
  const deadLettersOf = (service: keyof Targets) =>
    connectGrpc(DeadLetterServiceClient, {
      target: targets[service],
      certificates,
      service,
      // A redrive that is repeated would have a second audit record.
      retryable: ['listDeadLetters', 'getDeadLetter', 'listDeadLetterAuditRecords'],
    });
  const pipelineOf = (service: keyof Targets) =>
    connectGrpc(PipelineServiceClient, {
      target: targets[service],
      certificates,
      service,
      retryable: ['getPipeline'],
    });
  return {
    // Logins are never retried, nor are requests for a new secret: the first secret would be lost. A refresh is retried with the
    // same request id, so it does not count as a second use.
    auth: connectGrpc(AuthServiceClient, {
      target: targets.auth,
      certificates,
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
      certificates,
      retryable: [
        'getAccount',
        'listAccounts',
        'listAccountAuditRecords',
        'createAccount',
        'changeAccountState',
      ],
    }),
    mandates: connectGrpc(MandateServiceClient, {
      target: targets.authorization,
      certificates,
      retryable: ['createMandate', 'getMandate', 'listMandates', 'revokeMandate'],
    }),
    rules: connectGrpc(RuleServiceClient, {
      target: targets.authorization,
      certificates,
      retryable: ['createRule', 'getRule', 'listRules', 'listRuleVersions', 'backtestRule'],
    }),
    payment: connectGrpc(PaymentServiceClient, {
      target: targets.payment,
      certificates,
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
        'getCapture',
        'listCaptures',
        'getRefund',
        'listRefunds',
        'listPaymentSteps',
        'changePaymentNotes',
        'listPaymentAuditRecords',
      ],
    }),
    ledger: connectGrpc(LedgerServiceClient, {
      target: targets.ledger,
      certificates,
      retryable: [
        'listEntries',
        'getTransaction',
        'getAccountBalance',
        'getStatement',
        'getSealedHead',
        'getReceipt',
        'getProof',
        'getLastProof',
      ],
    }),
    // A reconciliation that is started twice would give two reports.
    reconciliations: connectGrpc(ReconciliationServiceClient, {
      target: targets.ledger,
      certificates,
      retryable: ['getReconciliation', 'listReconciliations'],
    }),
    notification: connectGrpc(NotificationServiceClient, {
      target: targets.notification,
      certificates,
      // Not those that make a secret: the first one would be lost. A stream retries by itself.
      retryable: [
        'listNotifications',
        'listEvents',
        'getEvent',
        'listWebhookEndpoints',
        'getWebhookEndpoint',
        'updateWebhookEndpoint',
        'deleteWebhookEndpoint',
        'redeliverWebhooks',
        'listWebhookDeliveries',
        'getWebhookDelivery',
        'redeliverWebhook',
        'listWebhookAuditRecords',
      ],
    }),
    preferences: connectGrpc(PreferenceServiceClient, {
      target: targets.notification,
      certificates,
      retryable: ['getNotificationPreferences', 'replaceNotificationPreferences'],
    }),
    mails: connectGrpc(MailServiceClient, {
      target: targets.notification,
      certificates,
      retryable: ['listMails', 'listMailSuppressions'],
    }),
    analytics: connectGrpc(AnalyticsServiceClient, {
      target: targets.analytics,
      certificates,
      retryable: ['getSummary', 'listDailyTotals', 'getAccountTotals'],
    }),
    paymentSandbox: connectGrpc(SandboxServiceClient, {
      target: targets.payment,
      certificates,
      retryable: ['advanceTestClock'],
    }),
    paymentDeadLetters: deadLettersOf('payment'),
    notificationDeadLetters: deadLettersOf('notification'),
    authDeadLetters: deadLettersOf('auth'),
    paymentPipeline: pipelineOf('payment'),
    authPipeline: pipelineOf('auth'),
    ledgerPipeline: pipelineOf('ledger'),
    notificationPipeline: pipelineOf('notification'),
    analyticsPipeline: pipelineOf('analytics'),
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
