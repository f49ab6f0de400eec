/** The HTTP server: first the parts that all routes share, then the routes. */
import type { Server as HttpsServer } from 'node:https';
import type { Certificates, KeyStore, Logger, Revocations } from '@payflowx/chassis';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { checkAccess, identifyCallers, tokenCheck } from './access/access.ts';
import { admitRequests } from './admission/admit-requests.ts';
import { createRefuse } from './admission/refuse.ts';
import type { Neighbours } from './clients/neighbours.ts';
import type { PaymentBatches } from './clients/payment-batches.ts';
import type { Config } from './config.ts';
import { answerBrokenConnection } from './http/broken-connection.ts';
import { limitCaching } from './http/caching.ts';
import { compressReads } from './http/compression.ts';
import { boundConnections, CONNECTION_TIMES } from './http/connections.ts';
import { serveConsole } from './http/console.ts';
import { setDeadlines } from './http/deadline.ts';
import { serveDocs } from './http/docs.ts';
import { BODY_LIMIT_BYTES, readJsonBodies } from './http/json-body.ts';
import { recordPaths, refuseUnknown } from './http/method-not-allowed.ts';
import { allowOrigins, protect, SECURITY_HEADERS, setSecurityHeaders } from './http/protection.ts';
import { readQueryNumbers } from './http/query-numbers.ts';
import { readQueryObjects } from './http/query-objects.ts';
import type { Readiness } from './http/readiness.ts';
import {
  logRequests,
  nameRequests,
  recordRequests,
  requestIdOf,
  traceRequests,
} from './http/request-context.ts';
import { measureRequests } from './http/request-metrics.ts';
import { recordSecurityEvents } from './http/security-events.ts';
import { buildSerializer } from './http/serializers.ts';
import { describeApi } from './openapi/describe-api.ts';
import { handleProblems, sendProblem, toProblem } from './problems/problem.ts';
import { addRoutes, NAMED_SCHEMAS, type RouteOptions } from './routes/all-routes.ts';
import type { ReadRegistry } from './routes/services.ts';
import { FORMATS } from './schemas/formats.ts';

export interface ServerParts {
  config: Pick<Config, 'protection' | 'sandbox'> & {
    http: Pick<Config['http'], 'trustedProxies' | 'maxConnections' | 'slowMs' | 'deadlineMs' | 'consoleDir'>;
  };
  neighbours: Neighbours;
  batches: PaymentBatches;
  /** Auth's public keys. */
  keys: KeyStore;
  /** The tokens that auth has revoked. */
  revocations: Revocations;
  readiness: Readiness;
  readRegistry: ReadRegistry;
  /** The certificate for clients. Undefined: plain HTTP. */
  https?: Certificates | undefined;
  log: Logger;
}

/** Returns a server that is ready to listen. Rejects if a route does not declare who may call it. */
export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const app = openServer(parts);
  renewCertificate(app, parts.https);
  for (const schema of NAMED_SCHEMAS) app.addSchema(schema);

  const paths = recordPaths(app);
  handleProblems(app, paths);
  recordSecurityEvents(app, parts.log);
  measureRequests(app);
  recordRequests(app);
  logRequests(app, { log: parts.log, slowMs: parts.config.http.slowMs });
  // The headers of every response come first. Then requests are refused under overload, before anything else costs time.
  nameRequests(app);
  setSecurityHeaders(app);
  limitCaching(app);
  await allowOrigins(app, parts.config.protection);
  const known = identifyCallers(app, parts);
  const refuse = createRefuse(app, parts.log);
  admitRequests(app, refuse);
  traceRequests(app);
  setDeadlines(app, parts.config.http);
  readJsonBodies(app);
  await protect(app, parts.config.protection, refuse);
  await checkAccess(app, { ...parts, known });
  await describeApi(app);
  readQueryNumbers(app);
  readQueryObjects(app);

  await compressReads(app);
  boundConnections(app, { maxConnections: parts.config.http.maxConnections, log: parts.log });
  closeConnectionsGently(app);
  await addRoutes(app, routeOptions(parts));
  await serveDocs(app);
  const { consoleDir } = parts.config.http;
  if (consoleDir !== '') await serveConsole(app, consoleDir);
  refuseUnknown(app, paths);
  await app.ready();
  return app;
}

function openServer({ config, https, log }: ServerParts): FastifyInstance {
  return Fastify({
    ...(https && { https: { ...CONNECTION_TIMES.http, ...HANDSHAKE, ...keyPairOf(https) } }),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // One logger for all requests: a child logger for each costs time and adds nothing, because every line has the request id.
    childLoggerFactory: (logger) => logger,
    genReqId: (request) => requestIdOf(request.headers),
    trustProxy: config.http.trustedProxies.length > 0 ? config.http.trustedProxies : false,
    bodyLimit: BODY_LIMIT_BYTES,
    ...CONNECTION_TIMES,
    // During shutdown, requests on open connections are still served. The registry sends new connections to other instances.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    schemaController: { compilersFactory: { buildSerializer } },
    // Requests are never changed to match the schema: no conversion, no removed fields. query-numbers.ts and query-objects.ts are the exceptions.
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        allErrors: true,
        // Errors then have their schema, whose example they show.
        verbose: true,
        formats: FORMATS,
      },
    },
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id).headers(SECURITY_HEADERS);
      sendProblem(toProblem(error), request, reply);
    },
    clientErrorHandler: answerBrokenConnection,
  }) as unknown as FastifyInstance;
}

/** A client has as long for the handshake as for the headers. */
const HANDSHAKE = { handshakeTimeout: CONNECTION_TIMES.http.headersTimeout };

function keyPairOf(https: Certificates) {
  const { cert = '', key = '' } = https.current();
  return { cert, key };
}

/** New connections get the new certificate. Open ones stay. */
function renewCertificate({ server }: FastifyInstance, https: Certificates | undefined): void {
  https?.onChange(() => (server as unknown as HttpsServer).setSecureContext(keyPairOf(https)));
}

/** A client that reuses a connection sends its next request within this time. */
const LINGER_MS = 500;

/**
 * During shutdown, the server accepts no new connections, and each response closes its connection (`Connection: close`). An idle
 * connection stays open for a moment: its client may be sending the next request right now, and that request would be lost. A
 * longer wait would delay the rest of the shutdown.
 */
function closeConnectionsGently(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    const { server } = app;
    const closeIdle = server.closeIdleConnections.bind(server);
    // Node and Fastify call it as soon as the server stops listening.
    server.closeIdleConnections = () => undefined;
    const lingeringUntil = performance.now() + LINGER_MS;
    const timer = setInterval(() => {
      if (performance.now() >= lingeringUntil) closeIdle();
    }, 50);
    server.once('close', () => clearInterval(timer));
  });
}

function routeOptions(parts: ServerParts): RouteOptions {
  const { neighbours, batches, readiness, readRegistry, config } = parts;
  const { loginsPerMinute, refreshesPerMinute } = config.protection;
  const isTokenValid = tokenCheck(parts);
  return {
    ...neighbours,
    ...{ batches, readiness, readRegistry, isTokenValid, loginsPerMinute, refreshesPerMinute },
    sandbox: config.sandbox,
  };
}
