/** Every route and every named schema of the API. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyPluginAsync, RawServerDefault } from 'fastify';
import type { Neighbours } from '../clients/neighbours.ts';
import type { PaymentBatches } from '../clients/payment-batches.ts';
import type { Readiness } from '../http/readiness.ts';
import * as ids from '../schemas/ids.ts';
import { Amount, Currency } from '../schemas/money.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { paymentSchemas } from '../schemas/payment.ts';
import { Problem } from '../schemas/problem.ts';
import { timelineSchemas } from '../schemas/timeline.ts';
import { accountChangeRoutes, accountChangeSchemas } from './account-changes.ts';
import { accountRoutes, accountSchemas } from './accounts.ts';
import { analyticsRoutes, analyticsSchemas } from './analytics.ts';
import { apiClientRoutes, apiClientSchemas } from './api-clients.ts';
import { auditRoutes, auditSchemas } from './audit.ts';
import { authRoutes, authSchemas } from './auth.ts';
import { backtestRoutes, backtestSchemas } from './backtests.ts';
import { captureRoutes, captureSchemas } from './captures.ts';
import { currencyRoutes, currencySchemas } from './currencies.ts';
import { healthRoutes, healthSchemas } from './health.ts';
import { ledgerRoutes, ledgerSchemas } from './ledger.ts';
import { ledgerProofRoutes, ledgerProofSchemas } from './ledger-proof.ts';
import { machineTokenRoutes, machineTokenSchemas } from './machine-tokens.ts';
import { notificationRoutes, notificationSchemas } from './notifications.ts';
import { paymentRouteSchemas, paymentRoutes } from './payments.ts';
import { receiptRoutes, receiptSchemas } from './receipts.ts';
import { reconciliationRoutes, reconciliationSchemas } from './reconciliations.ts';
import { refundRoutes, refundSchemas } from './refunds.ts';
import { ruleRoutes, ruleSchemas } from './rules.ts';
import { signingKeyRoutes, signingKeySchemas } from './signing-keys.ts';
import { simulationRoutes, simulationSchemas } from './simulations.ts';
import { statementRoutes, statementSchemas } from './statements.ts';
import { timelineRoutes } from './timeline.ts';
import { transferRoutes, transferSchemas } from './transfers.ts';
import { userRoutes, userSchemas } from './users.ts';

const { UserId, AccountId, AnyAccountId, PaymentId, RefundId } = ids;
const { TransactionId, RuleId, ReconciliationId, ApiClientId } = ids;

/** A schema that is missing here is an unresolved reference at startup. */
export const NAMED_SCHEMAS = [
  ...[Problem, Amount, Currency, NoFields],
  ...[UserId, AccountId, AnyAccountId, PaymentId, RefundId],
  ...[TransactionId, RuleId, ReconciliationId, ApiClientId],
  ...[authSchemas, machineTokenSchemas, signingKeySchemas, apiClientSchemas, userSchemas].flat(),
  ...[accountSchemas, accountChangeSchemas, currencySchemas, auditSchemas].flat(),
  ...[paymentSchemas, paymentRouteSchemas, captureSchemas, refundSchemas].flat(),
  ...[simulationSchemas, timelineSchemas, transferSchemas, ruleSchemas, backtestSchemas].flat(),
  ...[ledgerSchemas, statementSchemas, receiptSchemas, ledgerProofSchemas, reconciliationSchemas].flat(),
  ...[notificationSchemas, analyticsSchemas, healthSchemas].flat(),
];

/** The options of all routes. Each route uses some of them. */
export interface RouteOptions extends Neighbours {
  batches: PaymentBatches;
  readiness: Readiness;
  loginsPerMinute: number;
  refreshesPerMinute: number;
}

/** The type ensures that RouteOptions contains the options of every route. */
const ROUTES: FastifyPluginAsync<RouteOptions, RawServerDefault, TypeBoxTypeProvider>[] = [
  ...[authRoutes, machineTokenRoutes, signingKeyRoutes, apiClientRoutes, userRoutes],
  ...[accountRoutes, accountChangeRoutes, currencyRoutes, auditRoutes],
  ...[paymentRoutes, captureRoutes, refundRoutes, simulationRoutes, timelineRoutes, transferRoutes],
  ...[ruleRoutes, backtestRoutes],
  ...[ledgerRoutes, statementRoutes, receiptRoutes, ledgerProofRoutes, reconciliationRoutes],
  ...[notificationRoutes, analyticsRoutes, healthRoutes],
];

export async function addRoutes(app: FastifyInstance, options: RouteOptions): Promise<void> {
  for (const routes of ROUTES) await app.register(routes, options);
}
