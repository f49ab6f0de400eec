/** Starts the auth service. Parts are built from the inside out and stopped in reverse order. */
import { createTokenVerifier, newId, runService, serveGrpc } from '@payflowx/chassis';
import { migrate, openDatabase } from '@payflowx/chassis/postgres';
import { joinRegistry } from '@payflowx/registry';
import { createAccessTokenIssuer } from './app/access-tokens.ts';
import { forgetOldLogins } from './app/login-throttle.ts';
import { createPasswordHasher } from './app/password-hasher.ts';
import { turnSigningKeys } from './app/rotate-signing-key.ts';
import { activeSigningKey, publicJwks } from './app/signing-keys.ts';
import { startUpkeep } from './app/upkeep.ts';
import { loadConfig } from './config.ts';
import { authService } from './rpc/auth-service.ts';
import type { Database } from './store/database.ts';

/** A key takes over at most this long after its time. */
const UPKEEP_EVERY_MS = 15_000;

const config = loadConfig(process.env);

await runService('auth', config, async ({ log, onStop }) => {
  await migrate(config.migrations, log);
  const db = openDatabase<Database>(config.postgres, log);
  onStop('database', () => db.destroy());

  const now = () => new Date();
  const { sealingKey, rotation, refreshLifetimeMs } = config;
  const activeKey = activeSigningKey({ db, now }, sealingKey);
  // Now, so that a wrong sealing key is found here and not by the first login.
  log.info({ kid: (await activeKey()).kid }, 'signing access tokens');
  const passwords = await createPasswordHasher(config.hashing);
  const issueAccessToken = createAccessTokenIssuer({ activeKey, now, newTokenId: () => newId('jti') });
  const deps = { db, passwords, issueAccessToken, refreshLifetimeMs, sealingKey, rotation, now, log };

  const turnKeys = async () => {
    const step = await turnSigningKeys(deps);
    if (step) log.info({ step }, 'signing keys rotate');
  };
  const tasks = { 'signing keys': turnKeys, 'old logins': () => forgetOldLogins(deps) };
  const upkeep = startUpkeep(tasks, { everyMs: UPKEEP_EVERY_MS }, log);
  onStop('upkeep', () => upkeep.stop());

  // Auth is the one service that needs no call to auth to know its callers.
  const verifier = createTokenVerifier({ jwks: () => publicJwks({ db, now }) });
  const server = await serveGrpc({ ...config.grpc, verifier, log }, [authService(deps)]);
  onStop('grpc server', () => server.drain());

  // Last in, first out: callers stop finding us before we stop answering them.
  const { consulUrl, instanceId: id } = config;
  const membership = await joinRegistry(
    { consulUrl, log },
    { name: 'auth', id, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
