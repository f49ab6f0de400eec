/**
 * The operator's command. It reads users as JSON, creates or corrects them, and prints the users. It connects to
 * the database as its owner, so the service need not run.
 */
import { ConfigError, createLogger, isTransient, newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { type Static, Type } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Check, Errors } from 'typebox/value';
import { ensureUser } from './app/ensure-identities.ts';
import { createPasswordHasher } from './app/password-hasher.ts';
import { loadAdminConfig } from './config.ts';
import { AuthError } from './domain/errors.ts';
import type { Database } from './store/database.ts';

const USAGE = `Usage: node src/admin.ts ensure < identities.json

identities.json: {"users": [{"username", "password"?, "roles": ["customer"|"operator"|"auditor"|"admin"]}]}

An existing user without a password in the file keeps its own.`;

const closed = { additionalProperties: false };
const oneOrMoreOf = <R extends string>(...names: R[]) =>
  Type.Array(Type.Enum(names), { minItems: 1, uniqueItems: true });
const WantedUser = Type.Object(
  {
    username: Type.String(),
    password: Type.Optional(Type.String()),
    roles: oneOrMoreOf('customer', 'operator', 'auditor', 'admin'),
  },
  closed,
);
const Identities = Type.Object({ users: Type.Optional(Type.Array(WantedUser)) }, closed);
type Identities = Static<typeof Identities>;

/** A mistake of the operator. It is printed without a stack. */
class UsageError extends Error {}

export interface CommandLine {
  /** Without the interpreter and the script. */
  args: readonly string[];
  readInput(): Promise<string>;
  env: NodeJS.ProcessEnv;
}

/** `output` goes to stdout. `problem` goes to stderr; the command has then failed. */
export async function runAdminCommand({
  args,
  readInput,
  env,
}: CommandLine): Promise<{ output: string } | { problem: unknown }> {
  try {
    if (args.join() !== 'ensure') throw new UsageError(USAGE);
    return { output: `${JSON.stringify(await ensure(parse(await readInput()), env))}\n` };
  } catch (error) {
    return { problem: describe(error) };
  }
}

/** Returns the error as the operator sees it. Only an unexpected error keeps its stack. */
function describe(error: unknown): unknown {
  if ([UsageError, ConfigError, AuthError].some((known) => error instanceof known))
    return (error as Error).message;
  if (isTransient(error))
    return `The database of POSTGRES_MIGRATE_URL does not answer: ${(error as Error).message}`;
  return error;
}

function parse(input: string): Identities {
  let identities: unknown;
  try {
    identities = JSON.parse(input);
  } catch {
    // The parser's own message would quote the input, including its secrets.
    throw new UsageError('The input on stdin is not JSON.');
  }
  if (Check(Identities, identities)) return identities;
  const problems = Errors(Identities, identities)
    // It only repeats the error 'must not have additional properties'.
    .filter(({ keyword }) => keyword !== 'boolean')
    .map((error) => `  - ${error.instancePath || '/'} ${error.message}${unknownFieldsOf(error)}`);
  throw new UsageError(`The identities on stdin are not usable:\n${problems.join('\n')}`);
}

/** A misspelt field is named. Its value may be a secret. */
function unknownFieldsOf(error: TLocalizedValidationError): string {
  return error.keyword === 'additionalProperties' ? `: ${error.params.additionalProperties.join(', ')}` : '';
}

async function ensure({ users = [] }: Identities, env: NodeJS.ProcessEnv) {
  const config = loadAdminConfig(env);
  const log = createLogger('auth-admin', { logLevel: config.logLevel, instanceId: 'admin' }, 'stderr');
  const db = openDatabase<Database>({ url: config.ownerUrl, poolMax: 4 }, log);
  try {
    // No login waits in this queue, so it may be as long as the list.
    const passwords = await createPasswordHasher({ concurrency: 2, queueMax: users.length });
    const deps = { db, passwords, now: () => new Date(), newUserId: () => newId('usr') };
    const ensured = await Promise.all(users.map((user) => named(user.username, ensureUser(deps, user))));
    return { users: ensured.map(({ id, username, roles }) => ({ id, username, roles })) };
  } finally {
    await db.destroy();
  }
}

/** Puts the name of the identity in front of the error text. */
async function named<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AuthError) throw new AuthError(error.reason, `${name}: ${error.message}`);
    throw error;
  }
}
