/** For tests only: real servers from the environment, a migrated database per test file, tokens that verify. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Jwk } from '@payflowx/proto/auth';
import pg from 'pg';
import { migrate } from '../postgres/migrations.ts';
import { ACCESS_TOKEN_LIFETIME_S, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE } from '../rpc/access-token.ts';
import { type Caller, createTokenVerifier, type TokenVerifier } from '../rpc/identity.ts';
import { sqlStateOf } from '../sql-state.ts';
import { createLogger } from '../telemetry/log.ts';

export { createTestTopics, type RawTopicMessage, readTestTopic, type TestTopics } from './kafka.ts';

/** Silent, unless TEST_LOG names a level. */
export const testLog = createLogger('test', {
  logLevel: process.env.TEST_LOG ?? 'silent',
  instanceId: 'test',
});

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(
    `${name} is not set. Run the tests with \`make test\`, or load .local/test.env after \`make up\`.`,
  );
}

/** Where the real servers are. Each is read when it is needed. */
export const testServers = {
  postgresAdminUrl: () => fromEnvironment('TEST_POSTGRES_ADMIN_URL'),
  kafkaBrokers: () => fromEnvironment('TEST_KAFKA_BROKERS').split(','),
  rabbitUrl: () => fromEnvironment('TEST_RABBITMQ_URL'),
  consulUrl: () => fromEnvironment('TEST_CONSUL_URL'),
};

export interface TestDatabase {
  /** As the role that serves. */
  url: string;
  /** As the role that owns and migrates. */
  migrateUrl: string;
  /** As superuser. */
  adminUrl: string;
  drop(): Promise<void>;
}

/** A database of its own, copied from a template that is migrated once for each state of the migrations. */
export async function createTestDatabase(from: { service: string; migrations: URL }): Promise<TestDatabase> {
  const role = `payflowx_${from.service}`;
  const admin = new pg.Client({ connectionString: testServers.postgresAdminUrl() });
  await admin.connect();
  try {
    const template = await ensureTemplate(admin, role, from.migrations);
    const name = `${template}_${randomBytes(5).toString('hex')}`;
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${role}_migrator`);
    return {
      url: urlOf(name, role),
      migrateUrl: urlOf(name, `${role}_migrator`),
      adminUrl: urlOf(name),
      drop: () => dropDatabase(name),
    };
  } finally {
    await admin.end();
  }
}

/** Connects as superuser and at once becomes `role`, so that tests need no passwords but meet the same grants. */
function urlOf(database: string, role?: string): string {
  const url = new URL(testServers.postgresAdminUrl());
  url.pathname = `/${database}`;
  if (role) url.searchParams.set('options', `-c role=${role}`);
  return url.href;
}

async function ensureTemplate(admin: pg.Client, role: string, migrations: URL): Promise<string> {
  const template = `test_${role.replace('payflowx_', '')}_${await hashOf(migrations)}`;
  // Test files start side by side: the first makes the template, the others wait for it.
  await admin.query('SELECT pg_advisory_lock(hashtext($1))', [template]);
  try {
    const { rowCount } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
    if (rowCount === 0) await makeTemplate(admin, template, role, migrations);
    return template;
  } finally {
    await admin.query('SELECT pg_advisory_unlock(hashtext($1))', [template]);
  }
}

async function makeTemplate(
  admin: pg.Client,
  template: string,
  role: string,
  migrations: URL,
): Promise<void> {
  await ensureRole(admin, role);
  await ensureRole(admin, `${role}_migrator`);
  // Made under another name and renamed when whole, so that a run that was broken off leaves no half template.
  const unfinished = `${template}_unfinished`;
  await admin.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await admin.query(
    `CREATE DATABASE ${unfinished} OWNER ${role}_migrator TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'`,
  );
  await migrate({ url: urlOf(unfinished, `${role}_migrator`), folder: migrations }, testLog);
  await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`);
}

async function ensureRole(admin: pg.Client, role: string): Promise<void> {
  await admin.query(
    `DO $$ BEGIN CREATE ROLE ${role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
  );
}

async function hashOf(folder: URL): Promise<string> {
  const hash = createHash('sha256');
  const directory = fileURLToPath(folder);
  for (const file of (await readdir(directory)).sort())
    hash.update(file).update(await readFile(`${directory}/${file}`));
  return hash.digest('hex').slice(0, 12);
}

const OBJECT_IN_USE = '55006';

async function dropDatabase(name: string): Promise<void> {
  const admin = new pg.Client({ connectionString: testServers.postgresAdminUrl() });
  await admin.connect();
  // pg's pool says that it has ended before its connections have, and one that is cut off then raises an error that nobody listens for.
  // Without FORCE, Postgres gives them five seconds to leave.
  await admin.query(`DROP DATABASE IF EXISTS ${name}`).catch((error) => {
    if (sqlStateOf(error) !== OBJECT_IN_USE) throw error;
    return admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  await admin.end();
}

export interface TestIdentity {
  verifier: TokenVerifier;
  jwks: readonly Jwk[];
  /** A good access token for `caller`; a negative life makes it expired. */
  tokenFor(caller: Caller, life?: { expiresInS?: number }): Promise<string>;
  /** A signed token with any claims and header, good or not. A claim that is undefined is left out. */
  tokenWith(claims: object, header?: object): Promise<string>;
}

/** A key pair of its own and tokens signed with it, as auth would make them. */
export function createTestIdentity(): TestIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const kid = `key_${randomBytes(4).toString('hex')}`;
  const jwks = [toJwk(publicKey, kid)];
  // By hand: the JWT library does not sign claims that make no sense.
  const partOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tokenWith = async (claims: object, header: object = {}) => {
    const iat = Math.floor(Date.now() / 1000);
    const jti = randomBytes(8).toString('hex');
    const good = { iss: TOKEN_ISSUER, aud: TOKEN_AUDIENCE, iat, exp: iat + ACCESS_TOKEN_LIFETIME_S, jti };
    const input = `${partOf({ typ: TOKEN_TYPE, alg: 'EdDSA', kid, ...header })}.${partOf({ ...good, ...claims })}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  };
  return {
    verifier: createTokenVerifier({ jwks: async () => jwks }),
    jwks,
    tokenFor: ({ id, roles, clientId = 'cli_test', scopes }, { expiresInS } = {}) => {
      const limits = scopes && { client_id: clientId, scope: scopes.join(' ') };
      const iat = Math.floor(Date.now() / 1000);
      const life = expiresInS !== undefined && { iat, exp: iat + expiresInS };
      return tokenWith({ sub: id, roles, ...limits, ...life });
    },
    tokenWith,
  };
}

function toJwk(publicKey: KeyObject, kid: string): Jwk {
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { kid, kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA', use: 'sig' };
}

/** Resolves with what `check` returns once it no longer throws; rejects with its last error when the time is over. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = 5_000, everyMs = 25 } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
