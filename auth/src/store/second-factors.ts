/** Reads and writes second factors, recovery codes, and the challenges of logins. */
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { SecondFactor } from '../domain/second-factor.ts';
import type { Database } from './database.ts';

const NO_SECRET = Buffer.alloc(0);

export interface SealedFactor extends SecondFactor {
  /** Null for a passkey. */
  sealedSecret: Buffer | null;
  lastStep: bigint;
}

export async function insertFactor(
  trx: Transaction<Database>,
  { userId, ...factor }: Omit<SealedFactor, 'lastStep' | 'lastUsedAt'> & { userId: string },
): Promise<void> {
  await trx
    .insertInto('second_factors')
    .values({
      id: factor.id,
      user_id: userId,
      kind: factor.kind,
      name: factor.name,
      sealed_secret: factor.sealedSecret ?? NO_SECRET,
      created_at: factor.createdAt,
      confirmed_at: factor.confirmedAt,
    })
    .execute();
}

/** All factors of a user, the oldest first. */
export async function listFactors(db: Kysely<Database>, userId: string): Promise<SealedFactor[]> {
  const rows = await db
    .selectFrom('second_factors')
    .leftJoin('passkeys', 'passkeys.factor_id', 'second_factors.id')
    .selectAll('second_factors')
    .select('passkeys.last_used_at')
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute();
  return rows.map(toFactor);
}

/** Stores the step of an accepted code. False if another request was first with this step or a later one. */
export async function useStep(trx: Transaction<Database>, id: string, step: bigint): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('second_factors')
    .set({ last_step: step })
    .where('id', '=', id)
    .where('last_step', '<', step)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function confirmFactor(trx: Transaction<Database>, id: string, now: Date): Promise<void> {
  await trx.updateTable('second_factors').set({ confirmed_at: now }).where('id', '=', id).execute();
}

export async function deleteFactor(trx: Transaction<Database>, userId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('second_factors')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function deleteFactors(trx: Transaction<Database>, userId: string): Promise<bigint> {
  const { numDeletedRows } = await trx
    .deleteFrom('second_factors')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return numDeletedRows;
}

export async function setHasSecondFactor(
  trx: Transaction<Database>,
  userId: string,
  has: boolean,
): Promise<void> {
  await trx.updateTable('users').set({ has_second_factor: has }).where('id', '=', userId).execute();
}

/** Replaces all recovery codes of the user. */
export async function saveRecoveryCodes(
  trx: Transaction<Database>,
  userId: string,
  hashes: readonly Buffer[],
): Promise<void> {
  await trx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  if (hashes.length === 0) return;
  const rows = hashes.map((code_hash) => ({ code_hash, user_id: userId }));
  await trx.insertInto('recovery_codes').values(rows).execute();
}

/** False if the code is not one of the user's, or was used. */
export async function useRecoveryCode(
  trx: Transaction<Database>,
  userId: string,
  hash: Buffer,
): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('recovery_codes')
    .where('code_hash', '=', hash)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function countRecoveryCodes(db: Kysely<Database>, userId: string): Promise<number> {
  const rows = await db
    .selectFrom('recovery_codes')
    .select('code_hash')
    .where('user_id', '=', userId)
    .execute();
  return rows.length;
}

export type Challenge = Selectable<Database['login_challenges']>;

export async function insertChallenge(trx: Transaction<Database>, challenge: Challenge): Promise<void> {
  await trx.insertInto('login_challenges').values(challenge).execute();
}

export async function findChallenge(
  db: Kysely<Database>,
  hash: Buffer,
  now: Date,
): Promise<Challenge | undefined> {
  return db
    .selectFrom('login_challenges')
    .selectAll()
    .where('challenge_hash', '=', hash)
    .where('expires_at', '>', now)
    .executeTakeFirst();
}

/** False if another request has used the challenge. */
export async function useChallenge(trx: Transaction<Database>, hash: Buffer): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('login_challenges')
    .where('challenge_hash', '=', hash)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function deleteExpiredChallenges(db: Kysely<Database>, now: Date): Promise<void> {
  await db.deleteFrom('login_challenges').where('expires_at', '<=', now).execute();
}

type FactorRow = Selectable<Database['second_factors']> &
  Pick<Selectable<Database['passkeys']>, 'last_used_at'>;

function toFactor(row: FactorRow): SealedFactor {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    createdAt: row.created_at,
    confirmedAt: row.confirmed_at,
    lastUsedAt: row.last_used_at,
    sealedSecret: row.kind === 'totp' ? row.sealed_secret : null,
    lastStep: row.last_step,
  };
}

/** Sealed secrets of apps in the order of their ids. */
export async function listSealedFactors(
  db: Kysely<Database>,
  after: string,
  limit: number,
): Promise<{ id: string; sealed: Buffer }[]> {
  return db
    .selectFrom('second_factors')
    .select(['id', 'sealed_secret as sealed'])
    .where('id', '>', after)
    .where('kind', '=', 'totp')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Changes nothing if the secret is no longer `before`. */
export async function replaceFactorSecret(
  trx: Transaction<Database>,
  { id, sealed }: { id: string; sealed: Buffer },
  before: { sealed: Buffer },
): Promise<void> {
  await trx
    .updateTable('second_factors')
    .set({ sealed_secret: sealed })
    .where('id', '=', id)
    .where('sealed_secret', '=', before.sealed)
    .execute();
}
