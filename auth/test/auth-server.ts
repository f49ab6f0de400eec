/** An instance of auth with its own database and a real gRPC server, built as in main.ts. */
import {
  connectGrpc,
  createRevocationList,
  createTokenVerifier,
  followRevocations,
  type Keys,
  NeighbourError,
  newId,
  serveGrpc,
} from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  PATIENCE_MS,
  recordingLog,
  type TestDatabase,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { AuthServiceClient, type CreateUserRequest, Role } from '@payflowx/proto/auth';
import type { Kysely } from 'kysely';
import { createAccessTokenSigner } from '../src/app/access-tokens.ts';
import { ensureUser } from '../src/app/ensure-identities.ts';
import type { FairQueueLimits } from '../src/app/fair-queue.ts';
import { createPasswordHasher, type PasswordHasher } from '../src/app/password-hasher.ts';
import { resealSecrets } from '../src/app/reseal.ts';
import { readRevocations, watchRevocations } from '../src/app/revocation-list.ts';
import { runDueRotationStep } from '../src/app/rotate-signing-key.ts';
import { activeSigningKey, publicJwks } from '../src/app/signing-keys.ts';
import type { FactorPolicy } from '../src/domain/factor-policy.ts';
import type { PasskeyPolicy } from '../src/domain/passkey.ts';
import type { RefreshPolicy } from '../src/domain/refresh-token.ts';
import { authService } from '../src/rpc/auth-service.ts';
import type { Database } from '../src/store/database.ts';

export const MIGRATIONS = new URL('../migrations/', import.meta.url);
export const SEALING_KEY = Buffer.alloc(32, 7);
/** The addresses of the platform in these tests. */
export const AUDIENCES = ['https://pay.example/v1/auth/token', 'https://pay.example'];
/** A session is 3 minutes old at most, and ends after a minute without a refresh. */
export const SESSIONS = { refreshLifetimeMs: 60_000, sessionLifetimeMs: 180_000 };
/** A key signs for a day and is announced a quarter of an hour before it is activated. */
export const ROTATION = { maxAgeMs: 24 * 60 * 60_000, announceMs: 15 * 60_000 };
export const PASSKEYS: PasskeyPolicy = {
  rpId: 'pay.example',
  origins: ['https://pay.example', 'https://my.pay.example'],
};
const ROOMY: FairQueueLimits = { concurrency: 2, queueMax: 100 };

export type AuthServer = Awaited<ReturnType<typeof startAuth>>;

export function freshDatabase(): Promise<TestDatabase> {
  return createTestDatabase({ service: 'auth', migrations: MIGRATIONS });
}

interface AuthSettings {
  hashing?: FairQueueLimits;
  port?: number;
  factorPolicy?: FactorPolicy;
  sessions?: RefreshPolicy;
  /** Null: the platform has no passkeys. */
  passkeys?: PasskeyPolicy | null;
  sealingKey?: Keys;
  pageTokenKey?: Keys;
}

export async function startAuth(database: TestDatabase, settings: AuthSettings = {}) {
  const { hashing = ROOMY, port = 0, factorPolicy = [], sealingKey = SEALING_KEY } = settings;
  const db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const { log, lines } = recordingLog();
  let aheadMs = 0;
  let standsAt: Date | undefined;
  const now = () => new Date((standsAt?.getTime() ?? Date.now()) + aheadMs);
  const activeKey = activeSigningKey({ db, now }, sealingKey);
  const { passwords, hashes } = countingComparisons(await createPasswordHasher(hashing));
  const deps = {
    db,
    passwords,
    accessTokenSigner: createAccessTokenSigner({ activeKey, now, newTokenId: () => newId('jti') }),
    sessions: settings.sessions ?? SESSIONS,
    factorPolicy,
    passkeys: settings.passkeys === null ? undefined : (settings.passkeys ?? PASSKEYS),
    assertionAudiences: AUDIENCES,
    sealingKey,
    rotation: ROTATION,
    revocationWatch: watchRevocations(db, testLog),
    now,
    log,
  };
  const service = authService(deps);
  const jwks = async () => {
    await follower.loaded();
    return publicJwks({ db, now });
  };
  const revocations = createRevocationList();
  const follower = followRevocations(revocations, (after) => readRevocations(deps, after), log);
  const serving = {
    host: '127.0.0.1',
    port,
    reflection: false,
    pageTokenKey: settings.pageTokenKey ?? testPageTokenKey,
    certificates: testCertificates('auth'),
    log,
  };
  const server = await serveGrpc({ ...serving, verifier: createTokenVerifier({ jwks, revocations }) }, [
    service,
  ]);
  const target = `127.0.0.1:${server.port}`;
  const client = connectGrpc(AuthServiceClient, { target, certificates: testCertificates() });
  const gateway = connectGrpc(AuthServiceClient, { target, certificates: testCertificates('gateway') });
  const notification = connectGrpc(AuthServiceClient, {
    target,
    certificates: testCertificates('notification'),
  });
  return {
    target,
    /** Without a certificate, like an operator's grpcurl. */
    client,
    /** May send the address of a client. */
    gateway,
    notification,
    db,
    signingKey: await activeKey(),
    /** The fields of all log lines so far. */
    logged: lines,
    now,
    /** The number of passwords compared so far. */
    hashes,
    /** Runs the rotation step of the upkeep. */
    rotateIfDue: () => runDueRotationStep(deps),
    /** Runs the task of the upkeep that seals stored secrets again. */
    reseal: () => resealSecrets(deps),
    /** Moves the clock forward. */
    skip: (ms: number) => {
      aheadMs += ms;
    },
    /** Stops the clock at `time`, so that a slow machine makes no difference. Only `skip` moves it. */
    stopClockAt: (time: Date) => {
      standsAt = time;
      aheadMs = 0;
    },
    async stop() {
      client.close();
      follower.stop();
      await deps.revocationWatch.stop();
      gateway.close();
      notification.close();
      await server.drain();
      await db.destroy();
    },
  };
}

function countingComparisons(hasher: PasswordHasher) {
  let comparisons = 0;
  const passwords: PasswordHasher = {
    ...hasher,
    inTurn: (party, work) =>
      hasher.inTurn(party, (matches, hash) =>
        work((passwordHash, password) => {
          comparisons += 1;
          return matches(passwordHash, password);
        }, hash),
      ),
  };
  return { passwords, hashes: () => comparisons };
}

export const PASSWORD = 'correct horse battery staple';

/** A request for a customer with the password, changed by `wanted`. */
export function newUserRequest(
  wanted: Partial<CreateUserRequest> & Pick<CreateUserRequest, 'username'>,
): CreateUserRequest {
  const asked = { requestId: '', password: PASSWORD, roles: [Role.CUSTOMER] };
  return { ...asked, externalId: '', metadata: {}, ...wanted };
}

/** An update that changes nothing. */
export const NO_CHANGE = {
  ...{ roles: undefined, email: undefined, language: undefined },
  ...{ externalId: undefined, metadata: {}, removedMetadata: [] },
};

export type AuthWithUsers = Awaited<ReturnType<typeof startAuthWithUsers>>;

/** Starts auth on a new database with one user per role. Its stop drops the database too. */
export async function startAuthWithUsers(settings: AuthSettings = {}) {
  const database = await freshDatabase();
  await createUsers(database);
  const auth = await startAuth(database, settings);
  return {
    ...auth,
    database,
    async stop() {
      await auth.stop();
      await database.drop();
    },
  };
}

/** Creates one user per role, named like it, as the operator's command does. */
export async function createUsers(database: TestDatabase): Promise<void> {
  await asOwner(database, async (db) => {
    const deps = {
      db,
      passwords: await createPasswordHasher(ROOMY),
      now: () => new Date(),
      newUserId: () => newId('usr'),
    };
    for (const role of ['customer', 'operator', 'auditor', 'admin']) {
      await ensureUser(deps, { username: role, password: PASSWORD, roles: [role] });
    }
  });
}

export async function asOwner<T>(
  database: TestDatabase,
  work: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  const db = openDatabase<Database>({ url: database.migrateUrl, poolMax: 2 }, testLog);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Tokens of these users. */
export async function tokensOf({ client }: AuthServer) {
  const deadlineMs = PATIENCE_MS;
  const tokenOf = async (username: string) =>
    (await client.login({ username, password: PASSWORD }, { deadlineMs })).tokens?.accessToken ?? '';
  return {
    customer: await tokenOf('customer'),
    operator: await tokenOf('operator'),
    auditor: await tokenOf('auditor'),
    admin: await tokenOf('admin'),
  };
}

/** All parts of a refused call that the caller can see. */
export async function refusal(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof NeighbourError)) throw error;
    const { code, reason, message, retryAfterMs } = error;
    return { code, reason, message, retryAfterMs };
  }
  throw new Error('The call was not refused.');
}

/** The credentials of an API client that logs in with its secret. */
export function withSecret(clientId: string, clientSecret: string) {
  return { clientId, clientSecret, clientAssertion: '', scope: '' };
}
