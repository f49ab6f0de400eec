/** Starts the ledger. Parts are built from the inside out and stopped in reverse order. */
import { armFaults, connectIdentity, runService, serveGrpc } from '@payflowx/chassis';
import { startKafkaConsumer } from '@payflowx/chassis/kafka';
import { openDatabase, openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { startSealer } from './app/seal-journal.ts';
import { connectAccounts } from './clients/accounts.ts';
import { connectEventLag } from './clients/event-lag.ts';
import { loadConfig } from './config.ts';
import { paymentEvents } from './consumers/payment-events.ts';
import { startReconciliation } from './reconciliation.ts';
import { ledgerService } from './rpc/ledger-service.ts';
import type { Database } from './store/database.ts';
import { PROOF_IDLE_TIMEOUT_MS, PROOF_STATEMENT_TIMEOUT_MS } from './store/proof.ts';

const config = loadConfig(process.env);
/** One proof runs at a time, and holds its connection from its start to its end. */
const PROOF_CONNECTIONS = {
  poolMax: 1,
  statementTimeoutMs: PROOF_STATEMENT_TIMEOUT_MS,
  idleTimeoutMs: PROOF_IDLE_TIMEOUT_MS,
};

await runService('ledger', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  resolveThroughConsul({ consulUrl: config.consulUrl, log });

  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);
  const proofDb = openDatabase<Database>({ ...config.postgres, ...PROOF_CONNECTIONS }, log);
  onStop('database for proofs', () => proofDb.destroy());

  const identity = connectIdentity(config.identity, log);
  onStop('auth client', () => identity.close());

  const accounts = connectAccounts({ target: config.authorizationTarget, token: identity.serviceToken });
  onStop('authorization client', () => accounts.close());

  const consumer = await startKafkaConsumer(config.events, paymentEvents({ db }), log);
  onStop('consumer', () => consumer.stop());

  const { payment: target } = config.reconciliation.targets;
  const eventLag = connectEventLag({ target, token: identity.serviceToken, topicLag: consumer.lag });
  onStop('payment client', () => eventLag.close());

  const now = () => new Date();
  const sealer = startSealer({ db, now }, config.sealIntervalMs, log);
  onStop('sealer', () => sealer.stop());

  const reconciliation = startReconciliation(config.reconciliation, identity.serviceToken, log);
  onStop('reconciliation', () => reconciliation.stop());

  const service = ledgerService({ db, proofDb, accounts, eventLag: eventLag.count, now });
  const health = { answering: [database.problem], working: [consumer.problem] };
  const server = await serveGrpc({ ...config.grpc, verifier: identity.verifier, log, health }, [
    service,
    reconciliation.service,
  ]);
  onStop('grpc server', () => server.drain());
  onStop('reconciliation in progress', () => reconciliation.abort());

  // Parts stop in reverse order: callers stop finding this instance before it stops answering them.
  const membership = await joinRegistry(
    { consulUrl: config.consulUrl, log },
    { name: 'ledger', id: config.instanceId, host: config.grpc.host, port: server.port, check: 'grpc' },
  );
  onStop('registry', () => membership.leave());
});
