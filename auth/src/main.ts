/** Starts the auth service. Parts start in order of dependency and stop in reverse order. */
import {
  createRevocationList,
  createTokenVerifier,
  deadLetterService,
  followRevocations,
  newId,
  openCertificates,
  pipelineService,
  runService,
  serveGrpc,
} from '@payflowx/chassis';
import {
  measureOutbox,
  openWatchedDatabase,
  publishStages,
  redriveAudit,
  refusedEvents,
  requireMigrated,
  startOutboxRelay,
  watchOutbox,
} from '@payflowx/chassis/postgres';
import { connectRabbitPublisher } from '@payflowx/chassis/rabbit';
import { identityEventJson } from '@payflowx/proto/message-json';
import { joinRegistry } from '@payflowx/registry';
import { createAccessTokenSigner } from './app/access-tokens.ts';
import { deleteOldLogins } from './app/login-throttle.ts';
import { createPasswordHasher } from './app/password-hasher.ts';
import { resealFromTimeToTime } from './app/reseal.ts';
import { readRevocations, watchRevocations } from './app/revocation-list.ts';
import { runDueRotationStep } from './app/rotate-signing-key.ts';
import { activeSigningKey, publicJwks } from './app/signing-keys.ts';
import { startUpkeep } from './app/upkeep.ts';
import { loadConfig } from './config.ts';
import { IDENTITY_DESTINATION } from './messages/identity-event.ts';
import { authService } from './rpc/auth-service.ts';
import { deleteExpiredAssertions } from './store/client-keys.ts';
import type { Database } from './store/database.ts';
import { deleteExpiredConfirmations } from './store/email-confirmations.ts';
import { deleteExpiredRegistrations } from './store/passkeys.ts';
import { deleteExpiredFamilies } from './store/refresh-families.ts';
import { deleteExpiredRevocations } from './store/revocations.ts';
import { deleteExpiredChallenges } from './store/second-factors.ts';

/** A due key becomes active at most this much later. */
const UPKEEP_EVERY_MS = 15_000;

const config = loadConfig(process.env);

await runService('auth', config, async ({ log, onStop }) => {
  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);

  const certificates = await openCertificates('auth', config.tls, log);
  onStop('certificates', () => certificates.stop());

  const now = () => new Date();
  const { sealingKey, rotation, sessions, factorPolicy, passkeys, assertionAudiences, recentLoginS } = config;
  const activeKey = activeSigningKey({ db, now }, sealingKey);
  // Reads the key at startup, so that a wrong sealing key is found here and not by the first login.
  log.info({ kid: (await activeKey()).kid }, 'signing access tokens');
  const passwords = await createPasswordHasher(config.hashing);
  const accessTokenSigner = createAccessTokenSigner({ activeKey, now, newTokenId: () => newId('jti') });
  const revocationWatch = watchRevocations(db, log);
  const deps = {
    db,
    passwords,
    accessTokenSigner,
    sessions,
    factorPolicy,
    passkeys,
    assertionAudiences,
    sealingKey,
    rotation,
    revocationWatch,
    now,
    log,
  };

  const { publish, close } = await connectRabbitPublisher(config.identityQueue, log);
  onStop('rabbitmq', close);
  const { url } = config.postgres;
  const relay = await startOutboxRelay(
    { url, destination: IDENTITY_DESTINATION, system: 'rabbitmq', publish },
    log,
  );
  onStop('outbox relay', () => relay.stop());
  measureOutbox(db, [IDENTITY_DESTINATION]);
  const outbox = watchOutbox({ db, destinations: [IDENTITY_DESTINATION], log });
  onStop('outbox watch', () => outbox.stop());

  const rotateIfDue = async () => {
    const step = await runDueRotationStep(deps);
    if (step) log.info({ step }, 'a step of the signing key rotation is done');
  };
  const tasks = {
    'signing keys': rotateIfDue,
    'earlier sealing keys': resealFromTimeToTime(deps),
    'old logins': () => deleteOldLogins(deps),
    'ended sessions': () => deleteExpiredFamilies(db, now()),
    'expired login challenges': () => deleteExpiredChallenges(db, now()),
    'expired passkey registrations': () => deleteExpiredRegistrations(db, now()),
    'expired client assertions': () => deleteExpiredAssertions(db, now()),
    'expired revocations': () => deleteExpiredRevocations(db, now()),
    'expired confirmations': () => deleteExpiredConfirmations(db, now()),
  };
  const upkeep = startUpkeep(tasks, { everyMs: UPKEEP_EVERY_MS }, log);
  onStop('upkeep', () => upkeep.stop());

  // Auth verifies its callers' tokens with its own keys; the other services fetch them from auth.
  const revocations = createRevocationList();
  const follower = followRevocations(revocations, (after) => readRevocations(deps, after), log);
  onStop('revocations', () => follower.stop());
  const jwks = async () => {
    await follower.loaded();
    return publicJwks({ db, now });
  };
  const verifier = createTokenVerifier({ jwks, revocations });
  const letters = [refusedEvents({ db, name: 'auth-outbox', log })];
  const deadLetters = deadLetterService({
    service: 'auth',
    sources: letters,
    audit: redriveAudit(db),
    decode: (_, payload) => identityEventJson(payload),
  });
  const stages = publishStages(db, [IDENTITY_DESTINATION]);
  const pipeline = pipelineService({ service: 'auth', stages, deadLetters: letters });
  const health = { answering: [database.problem], working: [outbox.problem] };
  const server = await serveGrpc({ ...config.grpc, certificates, recentLoginS, verifier, log, health }, [
    authService(deps),
    deadLetters,
    pipeline,
  ]);
  onStop('grpc server', () => server.drain());
  // Before the drain: it waits for the requests that wait for a revocation.
  onStop('revocation watch', () => revocationWatch.stop());

  // Last in, first out: callers stop finding this instance before it stops serving them.
  const { consul, instanceId: id } = config;
  const membership = await joinRegistry(
    { consul, log },
    { name: 'auth', id, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
