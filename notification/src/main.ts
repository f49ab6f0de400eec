/** Starts the notification service. Parts are built from the inside out and stopped in reverse order. */
import { armFaults, connectIdentity, runService, serveGrpc } from '@payflowx/chassis';
import { migrate, openDatabase } from '@payflowx/chassis/postgres';
import { consumeQueue } from '@payflowx/chassis/rabbit';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { recordNotices } from './app/record-notices.ts';
import { loadConfig } from './config.ts';
import { decodeStep } from './consumers/payment-notifications.ts';
import { notificationService } from './rpc/notification-service.ts';
import type { Database } from './store/database.ts';

const config = loadConfig(process.env);
/** One reconciliation runs at a time, and asks for one page at a time; the second is for one that begins while another is broken off. */
const FIGURES_POOL = 2;

await runService('notification', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  resolveThroughConsul({ consulUrl: config.consulUrl, log });

  await migrate(config.migrations, log);
  const db = openDatabase<Database>(config.postgres, log);
  onStop('database', () => db.destroy());
  const figuresDb = openDatabase<Database>({ url: config.postgres.url, poolMax: FIGURES_POOL }, log);
  onStop('database for figures', () => figuresDb.destroy());

  const identity = connectIdentity(config.identity, log);
  onStop('auth client', () => identity.close());

  const apply = (steps: Parameters<typeof recordNotices>[1]) => recordNotices({ db }, steps);
  const consumer = await consumeQueue(config.queue, { decode: decodeStep, apply }, log);
  onStop('consumer', () => consumer.stop());

  const server = await serveGrpc({ ...config.grpc, verifier: identity.verifier, log }, [
    notificationService({ db, figuresDb }),
  ]);
  onStop('grpc server', () => server.drain());

  // Last in, first out: callers stop finding us before we stop answering them.
  const membership = await joinRegistry(
    { consulUrl: config.consulUrl, log },
    { name: 'notification', id: config.instanceId, host: config.grpc.host, port: server.port, check: 'grpc' },
  );
  onStop('registry', () => membership.leave());
});
