/** Starts the payment service. Parts are built from the inside out and stopped in reverse order. */
import { armFaults, connectIdentity, newId, runService, serveGrpc } from '@payflowx/chassis';
import { openDatabase, openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { startExpiry } from './app/expire-holds.ts';
import { createOperationFlow } from './app/operation-flow.ts';
import { createPaymentFlow } from './app/payment-flow.ts';
import { startPurge } from './app/purge-idempotency-keys.ts';
import { startOperationRecovery } from './app/recover-operations.ts';
import { startRecovery } from './app/recover-payments.ts';
import { watchOutbox } from './app/watch-outbox.ts';
import { connectAuthorization } from './clients/authorization.ts';
import { createClockWatch } from './clients/clock-watch.ts';
import { loadConfig } from './config.ts';
import { startOutboxRelays } from './outbox-relays.ts';
import { paymentService } from './rpc/payment-service.ts';
import { FIGURES_STATEMENT_TIMEOUT_MS } from './store/account-figures.ts';
import type { Database } from './store/database.ts';

const config = loadConfig(process.env);
/**
 * Connections for reconciliation, which runs once at a time and requests one page at a time. The second connection is for a run
 * that starts while a cancelled one still ends.
 */
const FIGURES_CONNECTIONS = { poolMax: 2, statementTimeoutMs: FIGURES_STATEMENT_TIMEOUT_MS };

await runService('payment', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  const { consulUrl, instanceId, postgres } = config;
  resolveThroughConsul({ consulUrl, log });

  const database = openWatchedDatabase<Database>(postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);
  const figuresDb = openDatabase<Database>({ ...postgres, ...FIGURES_CONNECTIONS }, log);
  onStop('database for figures', () => figuresDb.destroy());

  const relays = startOutboxRelays(config, log);
  onStop('outbox relays', () => relays.stop());

  const { serviceToken: token, verifier, close } = connectIdentity(config.identity, log);
  onStop('identity', close);
  const clock = createClockWatch({ now: () => new Date(), log });
  const authorization = connectAuthorization({ target: config.authorizationTarget, token, clock });
  onStop('authorization client', () => authorization.close());

  const deps = { db, authorization, clock, verifier, log, newId, now: clock.now, ...config.flow };
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

  const outbox = watchOutbox({ db, log });
  onStop('outbox watch', () => outbox.stop());

  const health = { answering: [database.problem], working: [outbox.problem] };
  const server = await serveGrpc({ ...config.grpc, verifier, log, health }, [
    paymentService({ ...deps, figuresDb, flow, operations }),
  ]);
  onStop('grpc server', () => server.drain());

  // Stops run in reverse order. The instance leaves the registry first, so that no new callers find it while it drains.
  const address = { host: config.grpc.host, port: server.port };
  const membership = await joinRegistry({ consulUrl, log }, { name: 'payment', id: instanceId, ...address });
  onStop('registry', () => membership.leave());
});
