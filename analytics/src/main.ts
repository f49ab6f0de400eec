/** Starts analytics. Parts are built from the inside out and stopped in reverse order. */
import { armFaults, connectIdentity, runService, serveGrpc } from '@payflowx/chassis';
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
  resolveThroughConsul({ consulUrl: config.consulUrl, log });

  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);

  const identity = connectIdentity(config.identity, log);
  onStop('auth client', () => identity.close());

  const accounts = connectAccounts({ target: config.authorizationTarget });
  onStop('authorization client', () => accounts.close());

  const consumer = await startKafkaConsumer(config.events, paymentEvents({ db, log }), log);
  onStop('consumer', () => consumer.stop());

  const purge = startInboxPurge({ db, lag: consumer.lag, now: () => new Date(), log });
  onStop('purge', () => purge.stop());

  const service = analyticsService({ db, accounts, now: () => new Date() });
  const health = { answering: [database.problem], working: [consumer.problem] };
  const server = await serveGrpc({ ...config.grpc, verifier: identity.verifier, log, health }, [service]);
  onStop('grpc server', () => server.drain());

  // Parts stop in reverse order: callers stop finding this instance before it stops answering them.
  const membership = await joinRegistry(
    { consulUrl: config.consulUrl, log },
    { name: 'analytics', id: config.instanceId, host: config.grpc.host, port: server.port, check: 'grpc' },
  );
  onStop('registry', () => membership.leave());
});
