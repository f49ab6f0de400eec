/** The HTTP server: what surrounds every route, then the routes. */
import type { Logger } from '@payflowx/chassis';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { checkAccess, type KeyOf } from './access.ts';
import { answerBrokenConnection } from './broken-connection.ts';
import type { Neighbours } from './clients/neighbours.ts';
import type { PaymentBatches } from './clients/payment-batches.ts';
import type { Config } from './config.ts';
import { serveDocs } from './docs.ts';
import { BODY_LIMIT_BYTES, readJsonBodies } from './json-body.ts';
import { refuseUnknown } from './method-not-allowed.ts';
import { describeApi } from './openapi.ts';
import { handleProblems, sendProblem, toProblem } from './problem.ts';
import { protect } from './protection.ts';
import { readQueryNumbers } from './query-numbers.ts';
import type { Readiness } from './readiness.ts';
import { carryContext, logRequests, requestIdOf } from './request-context.ts';
import { accountChangeRoutes, accountChangeSchemas } from './routes/account-changes.ts';
import { accountRoutes, accountSchemas } from './routes/accounts.ts';
import { analyticsRoutes, analyticsSchemas } from './routes/analytics.ts';
import { auditRoutes, auditSchemas } from './routes/audit.ts';
import { authRoutes, authSchemas } from './routes/auth.ts';
import { captureRoutes, captureSchemas } from './routes/captures.ts';
import { healthRoutes, healthSchemas } from './routes/health.ts';
import { ledgerRoutes, ledgerSchemas } from './routes/ledger.ts';
import { notificationRoutes, notificationSchemas } from './routes/notifications.ts';
import { paymentRouteSchemas, paymentRoutes } from './routes/payments.ts';
import { refundRoutes, refundSchemas } from './routes/refunds.ts';
import { simulationRoutes, simulationSchemas } from './routes/simulations.ts';
import { transferRoutes, transferSchemas } from './routes/transfers.ts';
import { userRoutes, userSchemas } from './routes/users.ts';
import { AccountId, AnyAccountId, PaymentId, RefundId, TransactionId, UserId } from './schemas/ids.ts';
import { Amount, Currency } from './schemas/money.ts';
import { paymentSchemas } from './schemas/payment.ts';
import { Problem } from './schemas/problem.ts';
import { isTimeZone, TIME_ZONE_FORMAT } from './schemas/time-zone.ts';

/** Every named schema; one that is missing here is an unresolved reference at start. */
const SCHEMAS = [
  ...[Problem, Amount, Currency, UserId, AccountId, AnyAccountId, PaymentId, RefundId, TransactionId],
  ...[authSchemas, userSchemas, accountSchemas, accountChangeSchemas, auditSchemas].flat(),
  ...[paymentSchemas, paymentRouteSchemas, captureSchemas, refundSchemas, simulationSchemas].flat(),
  ...[transferSchemas, ledgerSchemas, notificationSchemas, analyticsSchemas, healthSchemas].flat(),
];

export interface ServerParts {
  config: Pick<Config, 'protection' | 'batches'> & {
    http: Pick<Config['http'], 'trustedProxies' | 'slowMs'>;
  };
  neighbours: Neighbours;
  batches: PaymentBatches;
  keyOf: KeyOf;
  readiness: Readiness;
  log: Logger;
}

/** Ready to listen; rejects if a route does not say who may call it. */
export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const app = openServer(parts);
  for (const schema of SCHEMAS) app.addSchema(schema);

  handleProblems(app);
  carryContext(app);
  logRequests(app, { log: parts.log, slowMs: parts.config.http.slowMs });
  readJsonBodies(app);
  await protect(app, parts.config.protection);
  await checkAccess(app, parts);
  refuseUnknown(app);
  await describeApi(app);
  readQueryNumbers(app);

  closeIdleConnections(app);
  await addRoutes(app, parts);
  await app.ready();
  return app;
}

function openServer({ config, log }: ServerParts): FastifyInstance {
  return Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // One logger for all: a child for each request costs more than it tells (the lines name their request).
    childLoggerFactory: (logger) => logger,
    genReqId: (request) => requestIdOf(request.headers),
    trustProxy: config.http.trustedProxies.length > 0 ? config.http.trustedProxies : false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 15_000,
    keepAliveTimeout: 75_000,
    // While it drains, connections that are open are still served; the registry has sent new ones elsewhere.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Nothing in a request is changed to fit: no conversion, nothing taken away. query-numbers.ts is the one exception.
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        allErrors: true,
        formats: { [TIME_ZONE_FORMAT]: isTimeZone },
      },
    },
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      sendProblem(toProblem(error), request, reply);
    },
    clientErrorHandler: answerBrokenConnection,
  }) as unknown as FastifyInstance;
}

/** On the way down, a connection is closed as soon as it is idle: waiting for its next request would hold up the rest. */
function closeIdleConnections(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    const timer = setInterval(() => app.server.closeIdleConnections(), 50);
    app.server.once('close', () => clearInterval(timer));
  });
}

async function addRoutes(app: FastifyInstance, { neighbours, batches, readiness, config }: ServerParts) {
  const { deadlineMs } = config.batches;
  const { loginsPerMinute } = config.protection;
  await app.register(authRoutes, { ...neighbours, loginsPerMinute });
  await app.register(userRoutes, neighbours);
  await app.register(accountRoutes, neighbours);
  await app.register(accountChangeRoutes, neighbours);
  await app.register(auditRoutes, neighbours);
  await app.register(paymentRoutes, { ...neighbours, batches, deadlineMs });
  await app.register(captureRoutes, { ...neighbours, deadlineMs });
  await app.register(refundRoutes, { ...neighbours, deadlineMs });
  await app.register(simulationRoutes, neighbours);
  await app.register(transferRoutes, { ...neighbours, deadlineMs });
  await app.register(ledgerRoutes, neighbours);
  await app.register(notificationRoutes, neighbours);
  await app.register(analyticsRoutes, neighbours);
  await app.register(healthRoutes, { readiness });
  await serveDocs(app);
}
