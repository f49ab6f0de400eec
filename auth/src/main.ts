/** Starts the auth service. Parts start in order of dependency and stop in reverse order. */
import { createTokenVerifier, newId, runService, serveGrpc } from '@payflowx/chassis';
import { openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { joinRegistry } from '@payflowx/registry';
import { createAccessTokenSigner } from './app/access-tokens.ts';
import { deleteOldLogins } from './app/login-throttle.ts';
import { createPasswordHasher } from './app/password-hasher.ts';
import { runDueRotationStep } from './app/rotate-signing-key.ts';
import { activeSigningKey, publicJwks } from './app/signing-keys.ts';
import { startUpkeep } from './app/upkeep.ts';
import { loadConfig } from './config.ts';
import { authService } from './rpc/auth-service.ts';
import type { Database } from './store/database.ts';
import { deleteExpiredFamilies } from './store/refresh-families.ts';

/** A due key becomes active at most this much later. */
const UPKEEP_EVERY_MS = 15_000;

const config = loadConfig(process.env);

await runService('auth', config, async ({ log, onStop }) => {
  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);

  const now = () => new Date();
  const { sealingKey, rotation, sessions } = config;
  const activeKey = activeSigningKey({ db, now }, sealingKey);
  // Reads the key at startup, so that a wrong sealing key is found here and not by the first login.
  log.info({ kid: (await activeKey()).kid }, 'signing access tokens');
  const passwords = await createPasswordHasher(config.hashing);
  const accessTokenSigner = createAccessTokenSigner({ activeKey, now, newTokenId: () => newId('jti') });
  const deps = { db, passwords, accessTokenSigner, sessions, sealingKey, rotation, now, log };

  const rotateIfDue = async () => {
    const step = await runDueRotationStep(deps);
    if (step) log.info({ step }, 'a step of the signing key rotation is done');
  };
  const tasks = {
    'signing keys': rotateIfDue,
    'old logins': () => deleteOldLogins(deps),
    'ended sessions': () => deleteExpiredFamilies(db, now()),
  };
  const upkeep = startUpkeep(tasks, { everyMs: UPKEEP_EVERY_MS }, log);
  onStop('upkeep', () => upkeep.stop());

  // Auth verifies its callers' tokens with its own keys; the other services fetch them from auth.
  const verifier = createTokenVerifier({ jwks: () => publicJwks({ db, now }) });
  const health = { answering: [database.problem] };
  const server = await serveGrpc({ ...config.grpc, verifier, log, health }, [authService(deps)]);
  onStop('grpc server', () => server.drain());

  // Last in, first out: callers stop finding this instance before it stops serving them.
  const { consulUrl, instanceId: id } = config;
  const membership = await joinRegistry(
    { consulUrl, log },
    { name: 'auth', id, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
