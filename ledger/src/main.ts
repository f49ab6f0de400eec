/** Starts the ledger. Parts are built from the inside out and stopped in reverse order. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  armFaults,
  connectIdentity,
  openCertificates,
  pipelineService,
  runService,
  serveGrpc,
} from '@payflowx/chassis';
import { startKafkaConsumer } from '@payflowx/chassis/kafka';
import { openDatabase, openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { startSealer } from './app/seal-journal.ts';
import { connectAccounts } from './clients/accounts.ts';
import { connectEventLag } from './clients/event-lag.ts';
import { loadConfig } from './config.ts';
import { paymentEvents } from './consumers/payment-events.ts';
import { startReconciliation } from './reconciliation/start.ts';
import { ledgerService } from './rpc/ledger-service.ts';
import type { Database } from './store/database.ts';
import { PROOF_IDLE_TIMEOUT_MS, PROOF_STATEMENT_TIMEOUT_MS } from './store/proof.ts';

const config = loadConfig(process.env);
/** One proof runs at a time, and holds its connection from its start to its end. */
const PROOF_CONNECTIONS = {
  poolName: 'proofs',
  poolMax: 1,
  statementTimeoutMs: PROOF_STATEMENT_TIMEOUT_MS,
  idleTimeoutMs: PROOF_IDLE_TIMEOUT_MS,
};

await runService('ledger', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  resolveThroughConsul({ consul: config.consul, log });

  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);
  const proofDb = openDatabase<Database>({ ...config.postgres, ...PROOF_CONNECTIONS }, log);
  onStop('database for proofs', () => proofDb.destroy());

  const certificates = await openCertificates('ledger', config.tls, log);
  onStop('certificates', () => certificates.stop());

  const identity = connectIdentity({ target: config.authTarget, certificates }, log);
  onStop('auth client', () => identity.close());

  const accounts = connectAccounts({ target: config.authorizationTarget, certificates });
  onStop('authorization client', () => accounts.close());

  const consumer = await startKafkaConsumer(config.events, paymentEvents({ db }), log);
  onStop('consumer', () => consumer.stop());

  const { payment: target } = config.reconciliation.targets;
  const eventLag = connectEventLag({ target, certificates, topicLag: consumer.lag });
  onStop('payment client', () => eventLag.close());

  const now = () => new Date();
  const sealer = startSealer({ db, now }, config.sealIntervalMs, log);
  onStop('sealer', () => sealer.stop());

  const reconciliation = startReconciliation(config.reconciliation, certificates, log);
  onStop('reconciliation', () => reconciliation.stop());

  const { unfinishedAmong } = eventLag;
  const progress = { unfinishedAmong, ends: consumer.ends, hasPassed: consumer.hasPassed };
  const proofs = { proofDb, progress, pause: sleep, eventLag: eventLag.count };
  const service = ledgerService({ db, accounts, now, ...proofs });
  const stage = { activity: 'consume', source: config.events.topic, read: consumer.lagAndAge } as const;
  const pipeline = pipelineService({ service: 'ledger', stages: [stage] });
  const health = { answering: [database.problem], working: [consumer.problem] };
  const server = await serveGrpc({ ...config.grpc, certificates, verifier: identity.verifier, log, health }, [
    service,
    reconciliation.service,
    pipeline,
  ]);
  onStop('grpc server', () => server.drain());
  onStop('reconciliation in progress', () => reconciliation.abort());

  // Parts stop in reverse order: callers stop finding this instance before it stops answering them.
  const membership = await joinRegistry(
    { consul: config.consul, log },
    { name: 'ledger', id: config.instanceId, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
