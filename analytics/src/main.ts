/** Starts analytics. Parts are built from the inside out and stopped in reverse order. */
import {
  armFaults,
  connectIdentity,
  openCertificates,
  pipelineService,
  runService,
  serveGrpc,
} from '@payflowx/chassis';
import { startKafkaConsumer } from '@payflowx/chassis/kafka';
import { openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { startInboxPurge } from './app/purge-inbox.ts';
import { connectAccounts } from './clients/accounts.ts';
import { loadConfig } from './config.ts';
import { paymentEvents } from './consumers/payment-events.ts';
import { analyticsService } from './rpc/analytics-service.ts';
import type { Database } from './store/database.ts';

const config = loadConfig(process.env);

await runService('analytics', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  resolveThroughConsul({ consul: config.consul, log });

  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);

  const certificates = await openCertificates('analytics', config.tls, log);
  onStop('certificates', () => certificates.stop());

  const identity = connectIdentity({ target: config.authTarget, certificates }, log);
  onStop('auth client', () => identity.close());

  const accounts = connectAccounts({ target: config.authorizationTarget, certificates });
  onStop('authorization client', () => accounts.close());

  const consumer = await startKafkaConsumer(config.events, paymentEvents({ db, log }), log);
  onStop('consumer', () => consumer.stop());

  const purge = startInboxPurge({ db, lag: consumer.lag, now: () => new Date(), log });
  onStop('purge', () => purge.stop());

  const service = analyticsService({ db, accounts, now: () => new Date() });
  const stage = { activity: 'consume', source: config.events.topic, read: consumer.lagAndAge } as const;
  const pipeline = pipelineService({ service: 'analytics', stages: [stage] });
  const health = { answering: [database.problem], working: [consumer.problem] };
  const server = await serveGrpc({ ...config.grpc, certificates, verifier: identity.verifier, log, health }, [
    service,
    pipeline,
  ]);
  onStop('grpc server', () => server.drain());

  // Parts stop in reverse order: callers stop finding this instance before it stops answering them.
  const membership = await joinRegistry(
    { consul: config.consul, log },
    { name: 'analytics', id: config.instanceId, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
