/** Starts the authorization service. Parts start in order of dependency and stop in reverse order. */
import { armFaults, connectIdentity, openCertificates, runService, serveGrpc } from '@payflowx/chassis';
import { openDatabase, openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { measureHeldMoney } from './app/measure-held-money.ts';
import { loadConfig } from './config.ts';
import { authorizationServices } from './services.ts';
import type { Database } from './store/database.ts';

const config = loadConfig(process.env);

await runService('authorization', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  resolveThroughConsul({ consul: config.consul, log });
  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);

  const backtestDb = openDatabase<Database>({ ...config.postgres, poolName: 'backtests', poolMax: 1 }, log);
  onStop('database for backtests', () => backtestDb.destroy());
  measureHeldMoney(backtestDb);

  const certificates = await openCertificates('authorization', config.tls, log);
  onStop('certificates', () => certificates.stop());

  const identity = connectIdentity({ target: config.authTarget, certificates }, log);
  onStop('identity', () => identity.close());

  const { services, drain } = authorizationServices({
    db,
    backtestDb,
    log,
    now: () => new Date(),
    holdTtlMs: config.holdTtlMs,
    sandbox: config.sandbox,
    simulationsPerMinute: config.simulationsPerMinute,
    batches: config.batches,
  });
  onStop('batcher', () => drain());

  const health = { answering: [database.problem] };
  const { grpc, recentLoginS } = config;
  const server = await serveGrpc(
    { ...grpc, certificates, recentLoginS, verifier: identity.verifier, log, health },
    services,
  );
  onStop('grpc server', () => server.drain());

  // Last in, first out: callers stop finding this instance before it stops serving them.
  const { consul, instanceId: id } = config;
  const membership = await joinRegistry(
    { consul, log },
    { name: 'authorization', id, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
