/** Starts the payment service. Parts are built from the inside out and stopped in reverse order. */
import {
  armFaults,
  connectIdentity,
  newId,
  openCertificates,
  pipelineService,
  runService,
  serveGrpc,
} from '@payflowx/chassis';
import {
  openDatabase,
  openWatchedDatabase,
  publishStages,
  requireMigrated,
  watchOutbox,
} from '@payflowx/chassis/postgres';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { startExpiry } from './app/expire-holds.ts';
import { startFillingSides } from './app/fill-operation-sides.ts';
import { measureBacklogs } from './app/measure-backlogs.ts';
import { createOperationFlow } from './app/operation-flow.ts';
import { createPaymentFlow } from './app/payment-flow.ts';
import { startPurge } from './app/purge-idempotency-keys.ts';
import { startOperationRecovery } from './app/recover-operations.ts';
import { startRecovery } from './app/recover-payments.ts';
import { connectAuthorization } from './clients/authorization.ts';
import { createClockWatch } from './clients/clock-watch.ts';
import { connectTestClock } from './clients/test-clock.ts';
import { loadConfig } from './config.ts';
import { startDeadLetters } from './dead-letters.ts';
import { DESTINATIONS } from './messages/payment-event.ts';
import { startOutboxRelays } from './outbox-relays.ts';
import { paymentService } from './rpc/payment-service.ts';
import { sandboxService } from './rpc/sandbox-service.ts';
import { FIGURES_STATEMENT_TIMEOUT_MS } from './store/account-figures.ts';
import type { Database } from './store/database.ts';

const config = loadConfig(process.env);
/**
 * Connections for requests that a lock holds up. They are retried with pauses, so each attempt waits only briefly: a request that
 * was in a batch with them waits behind them.
 */
const ASIDE_CONNECTIONS = { poolName: 'aside', poolMax: 4, lockTimeoutMs: 25 };
/**
 * Connections for reconciliation, which runs once at a time and requests one page at a time. The second connection is for a run
 * that starts while a cancelled one still ends.
 */
const FIGURES_CONNECTIONS = {
  poolName: 'figures',
  poolMax: 2,
  statementTimeoutMs: FIGURES_STATEMENT_TIMEOUT_MS,
};

await runService('payment', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  const { consul, instanceId, postgres } = config;
  resolveThroughConsul({ consul, log });

  const database = openWatchedDatabase<Database>(postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);
  const figuresDb = openDatabase<Database>({ ...postgres, ...FIGURES_CONNECTIONS }, log);
  onStop('database for figures', () => figuresDb.destroy());
  const asideDb = openDatabase<Database>({ ...postgres, ...ASIDE_CONNECTIONS }, log);
  onStop('database for delayed requests', () => asideDb.destroy());

  const relays = startOutboxRelays(config, log);
  onStop('outbox relays', () => relays.stop());

  const certificates = await openCertificates('payment', config.tls, log);
  onStop('certificates', () => certificates.stop());

  const { verifier, close } = connectIdentity({ target: config.authTarget, certificates }, log);
  onStop('identity', close);
  const clock = createClockWatch({ now: () => new Date(), log });
  const authorization = connectAuthorization({ target: config.authorizationTarget, certificates, clock });
  onStop('authorization client', () => authorization.close());
  const testClock = config.flow.sandbox
    ? connectTestClock({ target: config.authorizationTarget, certificates })
    : undefined;
  onStop('test clock', () => testClock?.close());

  const deps = { db, asideDb, authorization, clock, verifier, log, newId, now: clock.now, ...config.flow };
  const flow = createPaymentFlow(deps);
  onStop('payment flow', () => flow.drain());
  const operations = createOperationFlow(deps);
  onStop('operation flow', () => operations.drain());
  const recovery = startRecovery({ ...deps, flow }, config.recoveryIntervalMs);
  onStop('recovery', () => recovery.stop());
  const operationRecovery = startOperationRecovery({ ...deps, operations }, config.recoveryIntervalMs);
  onStop('recovery of operations', () => operationRecovery.stop());
  const expiry = startExpiry({ ...deps, operations }, config.expiryIntervalMs);
  onStop('expiry', () => expiry.stop());
  const purge = startPurge({ ...deps, retentionMs: config.retentionMs });
  onStop('purge', () => purge.stop());
  const filling = startFillingSides(deps);
  onStop('sides of operations', () => filling.stop());

  const outbox = watchOutbox({ db, destinations: DESTINATIONS, log });
  onStop('outbox watch', () => outbox.stop());

  const deadLetters = await startDeadLetters(config, { db, log });
  onStop('dead letters', () => deadLetters.stop());
  measureBacklogs(db, clock.now);

  const pipeline = pipelineService({
    service: 'payment',
    stages: publishStages(db, DESTINATIONS),
    deadLetters: deadLetters.sources,
  });
  const health = { answering: [database.problem], working: [outbox.problem] };
  const server = await serveGrpc({ ...config.grpc, certificates, verifier, log, health }, [
    paymentService({ ...deps, figuresDb, flow, operations }),
    deadLetters.service,
    pipeline,
    ...(testClock ? [sandboxService({ db, testClock })] : []),
  ]);
  onStop('grpc server', () => server.drain());

  // Stops run in reverse order. The instance leaves the registry first, so that no new callers find it while it drains.
  const address = { host: config.grpc.host, port: server.port };
  const membership = await joinRegistry({ consul, log }, { name: 'payment', id: instanceId, ...address });
  onStop('registry', () => membership.leave());
});
