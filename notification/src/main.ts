/** Starts the notification service. Parts are built from the inside out and stopped in reverse order. */
import { armFaults, connectIdentity, runService, serveGrpc } from '@payflowx/chassis';
import { openDatabase, openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { consumeQueue } from '@payflowx/chassis/rabbit';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { recordNotices } from './app/record-notices.ts';
import { loadConfig } from './config.ts';
import { decodeStep } from './consumers/payment-notifications.ts';
import { notificationService } from './rpc/notification-service.ts';
import type { Database } from './store/database.ts';

const config = loadConfig(process.env);
/**
 * Connections for reconciliation, which runs once at a time and requests one page at a time. The second connection is for a run
 * that starts while a cancelled one still ends.
 */
const FIGURES_POOL = 2;

await runService('notification', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  resolveThroughConsul({ consulUrl: config.consulUrl, log });

  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);
  const figuresDb = openDatabase<Database>({ url: config.postgres.url, poolMax: FIGURES_POOL }, log);
  onStop('database for figures', () => figuresDb.destroy());

  const identity = connectIdentity(config.identity, log);
  onStop('auth client', () => identity.close());

  const apply = (steps: Parameters<typeof recordNotices>[1]) => recordNotices({ db }, steps);
  const consumer = await consumeQueue(config.queue, { decode: decodeStep, apply }, log);
  onStop('consumer', () => consumer.stop());

  const health = { answering: [database.problem], working: [consumer.problem] };
  const server = await serveGrpc({ ...config.grpc, verifier: identity.verifier, log, health }, [
    notificationService({ db, figuresDb }),
  ]);
  onStop('grpc server', () => server.drain());

  // Stops run in reverse order. The instance leaves the registry first, so that no new callers find it while it drains.
  const membership = await joinRegistry(
    { consulUrl: config.consulUrl, log },
    { name: 'notification', id: config.instanceId, host: config.grpc.host, port: server.port, check: 'grpc' },
  );
  onStop('registry', () => membership.leave());
});
