/** Reads and writes refresh families: one row for each session, which knows its newest refresh token. */
import type { Kysely, Transaction } from 'kysely';
import type { RefreshFamily } from '../domain/refresh-token.ts';
import type { UserRole } from '../domain/user.ts';
import type { Database } from './database.ts';

export interface LockedFamily extends RefreshFamily {
  id: string;
  /** The user of the family, with the current roles. */
  user: { id: string; roles: readonly UserRole[] };
}

export interface NewFamily {
  id: string;
  userId: string;
  secretHash: Buffer;
  tokenHash: Buffer;
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
    .select(['users.id as user_id', 'users.roles as user_roles'])
    .where('family.secret_hash', '=', secretHash)
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
    user: { id: row.user_id, roles: row.user_roles },
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

export async function revokeFamily(
  db: Kysely<Database>,
  secretHash: Buffer,
  { reason, now }: { reason: 'reuse' | 'logout'; now: Date },
): Promise<void> {
  await db
    .updateTable('refresh_families')
    .set({ revoked_at: now, revoked_for: reason })
    .where('secret_hash', '=', secretHash)
    .where('revoked_at', 'is', null)
    .execute();
}

export async function revokeFamiliesOfUser(
  trx: Transaction<Database>,
  userId: string,
  now: Date,
): Promise<void> {
  await trx
    .updateTable('refresh_families')
    .set({ revoked_at: now, revoked_for: 'password-reset' })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .execute();
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
