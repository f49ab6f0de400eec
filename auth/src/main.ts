/** Starts the auth service. Parts are built from the inside out and stopped in reverse order. */
import { createTokenVerifier, migrate, newId, openDatabase, runService, serveGrpc } from '@payflowx/chassis';
import { joinRegistry } from '@payflowx/registry';
import { createAccessTokenIssuer } from './app/access-tokens.ts';
import { createPasswordHasher } from './app/password-hasher.ts';
import { openActiveSigningKey, publicJwks } from './app/signing-keys.ts';
import { loadConfig } from './config.ts';
import { authService } from './rpc/auth-service.ts';
import type { Database } from './store/database.ts';

const config = loadConfig(process.env);

await runService('auth', config, async ({ log, onStop }) => {
  await migrate({ url: config.migrateUrl, folder: new URL('../migrations/', import.meta.url) }, log);
  const db = openDatabase<Database>(config.postgres, log);
  onStop('database', () => db.destroy());

  const now = () => new Date();
  const signingKey = await openActiveSigningKey({ db, now }, config.sealingKey);
  log.info({ kid: signingKey.kid }, 'signing access tokens');
  const service = authService({
    db,
    passwords: await createPasswordHasher(config.hashing),
    issueAccessToken: createAccessTokenIssuer(signingKey, { now, newTokenId: () => newId('jti') }),
    refreshLifetimeMs: config.refreshLifetimeMs,
    now,
    log,
  });

  // Auth is the one service that needs no call to auth to know its callers.
  const verifier = createTokenVerifier({ jwks: () => publicJwks({ db, now }) });
  const server = await serveGrpc({ ...config.grpc, verifier, log }, [service]);
  onStop('grpc server', () => server.drain());

  // Last in, first out: callers stop finding us before we stop answering them.
  const { consulUrl, instanceId: id } = config;
  const membership = await joinRegistry(
    { consulUrl, log },
    { name: 'auth', id, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
