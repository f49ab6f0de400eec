/** Reads and writes refresh families: one row for each session, which knows its newest refresh token. */
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { RefreshFamily, Session } from '../domain/refresh-token.ts';
import type { UserRole } from '../domain/user.ts';
import type { Database } from './database.ts';

export interface LockedFamily extends RefreshFamily {
  id: string;
  /** The user of the family, with the current roles. */
  user: { id: string; roles: readonly UserRole[]; tokensValidFrom: Date | null; hasSecondFactor: boolean };
  /** A second factor was used in this session. */
  secondFactor: boolean;
}

export interface NewFamily {
  id: string;
  userId: string;
  secretHash: Buffer;
  tokenHash: Buffer;
  secondFactor: boolean;
  createdAt: Date;
  expiresAt: Date;
}

export async function insertFamily(trx: Transaction<Database>, family: NewFamily): Promise<void> {
  await trx
    .insertInto('refresh_families')
    .values({
      id: family.id,
      user_id: family.userId,
      secret_hash: family.secretHash,
      token_hash: family.tokenHash,
      second_factor: family.secondFactor,
      created_at: family.createdAt,
      expires_at: family.expiresAt,
    })
    .execute();
}

/** A concurrent use of a token of the family waits here, and then finds it used. */
export async function lockFamily(
  trx: Transaction<Database>,
  secretHash: Buffer,
): Promise<LockedFamily | undefined> {
  const row = await trx
    .selectFrom('refresh_families as family')
    .innerJoin('users', 'users.id', 'family.user_id')
    .select(['family.id', 'family.created_at', 'family.expires_at', 'family.revoked_at'])
    .select(['family.token_hash', 'family.predecessor_hash', 'family.rotated_at', 'family.rotation_hash'])
    .select(['users.id as user_id', 'users.roles as user_roles', 'users.tokens_valid_from'])
    .select(['family.second_factor', 'users.has_second_factor'])
    .where('family.secret_hash', '=', secretHash)
    .where('users.state', '=', 'enabled')
    .forUpdate('family')
    .executeTakeFirst();
  if (!row?.token_hash) return undefined;
  const { predecessor_hash: predecessorHash, rotated_at: at, rotation_hash: requestHash } = row;
  return {
    id: row.id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    tokenHash: row.token_hash,
    rotation: predecessorHash && at ? { predecessorHash, at, requestHash } : undefined,
    user: {
      id: row.user_id,
      roles: row.user_roles,
      tokensValidFrom: row.tokens_valid_from,
      hasSecondFactor: row.has_second_factor,
    },
    secondFactor: row.second_factor,
  };
}

/** Replaces the newest token of a locked family. The presented token becomes its predecessor. */
export async function rotateToken(
  trx: Transaction<Database>,
  familyId: string,
  rotation: {
    presentedHash: Buffer;
    nextHash: Buffer;
    requestHash: Buffer | null;
    now: Date;
    expiresAt: Date;
  },
): Promise<void> {
  await trx
    .updateTable('refresh_families')
    .set({
      token_hash: rotation.nextHash,
      predecessor_hash: rotation.presentedHash,
      rotated_at: rotation.now,
      rotation_hash: rotation.requestHash,
      expires_at: rotation.expiresAt,
    })
    .where('id', '=', familyId)
    .execute();
}

/** Records that the session has used a second factor. */
export async function recordSecondFactor(
  trx: Transaction<Database>,
  { userId, sessionId }: { userId: string; sessionId: string },
): Promise<void> {
  await trx
    .updateTable('refresh_families')
    .set({ second_factor: true })
    .where('id', '=', sessionId)
    .where('user_id', '=', userId)
    .execute();
}

/** Replaces the newest token of a locked family, which no client has used. Its predecessor stays the same. */
export async function replaceToken(
  trx: Transaction<Database>,
  familyId: string,
  nextHash: Buffer,
): Promise<void> {
  await trx
    .updateTable('refresh_families')
    .set({ token_hash: nextHash })
    .where('id', '=', familyId)
    .execute();
}

export type EndReason = NonNullable<Selectable<Database['refresh_families']>['revoked_for']>;

/** One family by its secret or its id, or all of a user but one. */
export type FamilyChoice =
  | { secretHash: Buffer }
  | { userId: string; only?: string | undefined; except?: string | undefined };

/** Ends the families that have not ended. Returns them with the time of their newest access token. */
export async function endFamilies(
  trx: Transaction<Database>,
  choice: FamilyChoice,
  { reason, now }: { reason: EndReason; now: Date },
): Promise<{ id: string; lastUsedAt: Date }[]> {
  // Locked in one order, so that two of these cannot deadlock.
  const chosen = trx
    .selectFrom('refresh_families')
    .select('id')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .$call((families) => {
      if ('secretHash' in choice) return families.where('secret_hash', '=', choice.secretHash);
      const { userId, only, except } = choice;
      return families
        .where('user_id', '=', userId)
        .$if(only !== undefined, (some) => some.where('id', '=', only ?? ''))
        .$if(except !== undefined, (some) => some.where('id', '<>', except ?? ''));
    })
    .orderBy('id')
    .forUpdate();
  const rows = await trx
    .updateTable('refresh_families')
    .set({ revoked_at: now, revoked_for: reason })
    .where('id', 'in', chosen)
    .returning(['id', 'created_at', 'rotated_at'])
    .execute();
  return rows.map(({ id, created_at, rotated_at }) => ({ id, lastUsedAt: rotated_at ?? created_at }));
}

/** The families of a user that have not ended, newest first: the ids are UUIDv7. */
export async function listFamilies(
  db: Kysely<Database>,
  query: { userId: string; now: Date; limit: number; beforeId: string | undefined },
): Promise<Session[]> {
  const { userId, now, limit, beforeId } = query;
  const rows = await db
    .selectFrom('refresh_families')
    .select(['id', 'created_at', 'rotated_at', 'expires_at'])
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .$if(beforeId !== undefined, (families) => families.where('id', '<', beforeId ?? ''))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    lastUsedAt: row.rotated_at ?? row.created_at,
    expiresAt: row.expires_at,
  }));
}

/** True if the user has or had this session. Sessions that expired are deleted soon after. */
export async function hasFamily(db: Kysely<Database>, userId: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('refresh_families')
    .select('id')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}

/** The most rows that one statement deletes. The next round deletes the rest. */
const DELETED_AT_ONCE = 10_000;

/** Deletes expired families. Families that another instance is deleting are skipped. */
export async function deleteExpiredFamilies(db: Kysely<Database>, now: Date): Promise<void> {
  const expired = db
    .selectFrom('refresh_families')
    .select('id')
    .where('expires_at', '<=', now)
    .limit(DELETED_AT_ONCE)
    .forUpdate()
    .skipLocked();
  await db.deleteFrom('refresh_families').where('id', 'in', expired).execute();
}
