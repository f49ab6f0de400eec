/** Every route and every named schema of the API. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyPluginAsync, RawServerDefault } from 'fastify';
import type { IsTokenValid } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import type { PaymentBatches } from '../clients/payment-batches.ts';
import type { Readiness } from '../http/readiness.ts';
import * as ids from '../schemas/ids.ts';
import { Amount, Currency } from '../schemas/money.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { passkeySchemas } from '../schemas/passkeys.ts';
import { paymentSchemas } from '../schemas/payment.ts';
import { PaymentTotals } from '../schemas/payment-totals.ts';
import { Problem } from '../schemas/problem.ts';
import { timelineSchemas } from '../schemas/timeline.ts';
import { accountBatchRoutes, accountBatchSchemas } from './account-batches.ts';
import { accountChangeRoutes, accountChangeSchemas } from './account-changes.ts';
import { accountRoutes, accountSchemas } from './accounts.ts';
import { analyticsRoutes, analyticsSchemas } from './analytics.ts';
import { apiClientRoutes, apiClientSchemas } from './api-clients.ts';
import { auditRoutes, auditSchemas } from './audit.ts';
import { authRoutes, authSchemas } from './auth.ts';
import { backtestRoutes, backtestSchemas } from './backtests.ts';
import { browserSessionRoutes, browserSessionSchemas } from './browser-sessions.ts';
import { captureRoutes, captureSchemas } from './captures.ts';
import { clientKeyRoutes, clientKeySchemas } from './client-keys.ts';
import { currencyRoutes, currencySchemas } from './currencies.ts';
import { deadLetterRoutes, deadLetterSchemas } from './dead-letters.ts';
import { emailConfirmationRoutes, emailConfirmationSchemas } from './email-confirmations.ts';
import { eventStreamRoutes } from './event-stream.ts';
import { eventRoutes, eventSchemas } from './events.ts';
import { healthRoutes, healthSchemas } from './health.ts';
import { ledgerRoutes, ledgerSchemas } from './ledger.ts';
import { ledgerProofRoutes, ledgerProofSchemas } from './ledger-proof.ts';
import { machineTokenRoutes, machineTokenSchemas } from './machine-tokens.ts';
import { mailRoutes, mailSchemas } from './mails.ts';
import { mandateRoutes, mandateSchemas } from './mandates.ts';
import { preferenceRoutes, preferenceSchemas } from './notification-preferences.ts';
import { notificationRoutes, notificationSchemas } from './notifications.ts';
import { passwordRoutes, passwordSchemas } from './passwords.ts';
import { paymentRouteSchemas, paymentRoutes } from './payments.ts';
import { pipelineRoutes, pipelineSchemas } from './pipeline.ts';
import { receiptRoutes, receiptSchemas } from './receipts.ts';
import { reconciliationRoutes, reconciliationSchemas } from './reconciliations.ts';
import { refundRoutes, refundSchemas } from './refunds.ts';
import { ruleRoutes, ruleSchemas } from './rules.ts';
import { sandboxRoutes, sandboxSchemas } from './sandbox.ts';
import { searchRoutes, searchSchemas } from './search.ts';
import { secondFactorRoutes, secondFactorSchemas } from './second-factors.ts';
import { type ReadRegistry, serviceRoutes, serviceSchemas } from './services.ts';
import { sessionRoutes, sessionSchemas } from './sessions.ts';
import { signingKeyRoutes, signingKeySchemas } from './signing-keys.ts';
import { simulationRoutes, simulationSchemas } from './simulations.ts';
import { statementRoutes, statementSchemas } from './statements.ts';
import { timelineRoutes } from './timeline.ts';
import { transferRoutes, transferSchemas } from './transfers.ts';
import { userChangeRoutes, userChangeSchemas } from './user-changes.ts';
import { userRoutes, userSchemas } from './users.ts';
import { webhookDeliveryRoutes, webhookDeliverySchemas } from './webhook-deliveries.ts';
import { webhookEndpointRoutes, webhookEndpointSchemas } from './webhook-endpoints.ts';

const { UserId, AccountId, AnyAccountId, PaymentId, CaptureId, RefundId } = ids;
const { SessionId, SecondFactorId, TransactionId, RuleId, ReconciliationId, ApiClientId } = ids;
const { MailId, MailSuppressionId, DeadLetterId } = ids;
const { EventId, EndpointId, DeliveryId, MandateId } = ids;

/** A schema that is missing here is an unresolved reference at startup. */
export const NAMED_SCHEMAS = [
  ...[Problem, Amount, Currency, NoFields],
  ...[UserId, AccountId, AnyAccountId, PaymentId, CaptureId, RefundId, PaymentTotals],
  ...[SessionId, SecondFactorId, TransactionId, RuleId, ReconciliationId, ApiClientId],
  ...[EventId, EndpointId, DeliveryId, MandateId, MailId, MailSuppressionId],
  ...[DeadLetterId],
  ...[authSchemas, browserSessionSchemas, machineTokenSchemas, signingKeySchemas, apiClientSchemas].flat(),
  ...[clientKeySchemas, passkeySchemas].flat(),
  ...[userSchemas, userChangeSchemas, passwordSchemas, sessionSchemas, secondFactorSchemas].flat(),
  ...[accountSchemas, accountBatchSchemas, accountChangeSchemas, currencySchemas, auditSchemas].flat(),
  ...[paymentSchemas, paymentRouteSchemas, captureSchemas, refundSchemas, mandateSchemas].flat(),
  ...[simulationSchemas, timelineSchemas, transferSchemas, ruleSchemas, backtestSchemas].flat(),
  ...[ledgerSchemas, statementSchemas, receiptSchemas, ledgerProofSchemas, reconciliationSchemas].flat(),
  ...[notificationSchemas, preferenceSchemas, mailSchemas, emailConfirmationSchemas].flat(),
  ...[eventSchemas, webhookEndpointSchemas, webhookDeliverySchemas].flat(),
  ...[analyticsSchemas, healthSchemas, deadLetterSchemas, serviceSchemas, searchSchemas].flat(),
  ...pipelineSchemas,
  ...sandboxSchemas,
];

/** The options of all routes. Each route uses some of them. */
export interface RouteOptions extends Neighbours {
  batches: PaymentBatches;
  readiness: Readiness;
  readRegistry: ReadRegistry;
  /** True if the sandbox is on. Otherwise its routes do not exist. */
  sandbox: boolean;
  isTokenValid: IsTokenValid;
  loginsPerMinute: number;
  refreshesPerMinute: number;
}

/** The type ensures that RouteOptions contains the options of every route. */
const ROUTES: FastifyPluginAsync<RouteOptions, RawServerDefault, TypeBoxTypeProvider>[] = [
  ...[
    authRoutes,
    browserSessionRoutes,
    machineTokenRoutes,
    signingKeyRoutes,
    apiClientRoutes,
    clientKeyRoutes,
  ],
  ...[userRoutes, userChangeRoutes, passwordRoutes, sessionRoutes, secondFactorRoutes],
  ...[accountRoutes, accountBatchRoutes, accountChangeRoutes, currencyRoutes, auditRoutes],
  ...[paymentRoutes, captureRoutes, refundRoutes, simulationRoutes, timelineRoutes, transferRoutes],
  ...[mandateRoutes, ruleRoutes, backtestRoutes],
  ...[ledgerRoutes, statementRoutes, receiptRoutes, ledgerProofRoutes, reconciliationRoutes],
  ...[notificationRoutes, preferenceRoutes, mailRoutes, emailConfirmationRoutes],
  ...[eventRoutes, eventStreamRoutes, webhookEndpointRoutes, webhookDeliveryRoutes],
  ...[analyticsRoutes, healthRoutes, deadLetterRoutes, pipelineRoutes, serviceRoutes, searchRoutes],
  sandboxRoutes,
];

export async function addRoutes(app: FastifyInstance, options: RouteOptions): Promise<void> {
  for (const routes of ROUTES) await app.register(routes, options);
}
