/** Reads and writes refresh tokens and their families. */
import type { Kysely, Transaction } from 'kysely';
import type { StoredRefreshToken } from '../domain/refresh-token.ts';
import type { UserRole } from '../domain/user.ts';
import type { Database } from './database.ts';

export interface LockedRefreshToken extends StoredRefreshToken {
  familyId: string;
  /** The user of the family, with the current roles. */
  user: { id: string; roles: readonly UserRole[] };
}

export interface NewFamily {
  id: string;
  userId: string;
  tokenHash: Buffer;
  issuedAt: Date;
  expiresAt: Date;
}

/** Inserts a family with its first token, and deletes the user's expired families. */
export async function insertFamily(trx: Transaction<Database>, family: NewFamily): Promise<void> {
  await trx
    .deleteFrom('refresh_families')
    .where('user_id', '=', family.userId)
    .where('expires_at', '<=', family.issuedAt)
    .execute();
  await trx
    .insertInto('refresh_families')
    .values({
      id: family.id,
      user_id: family.userId,
      created_at: family.issuedAt,
      expires_at: family.expiresAt,
    })
    .execute();
  await insertToken(trx, { tokenHash: family.tokenHash, familyId: family.id, issuedAt: family.issuedAt });
}

/** Locks the token and its family. A concurrent use of the token waits here and then finds it spent. */
export async function lockRefreshToken(
  trx: Transaction<Database>,
  tokenHash: Buffer,
): Promise<LockedRefreshToken | undefined> {
  const row = await trx
    .selectFrom('refresh_tokens as token')
    .innerJoin('refresh_families as family', 'family.id', 'token.family_id')
    .innerJoin('users', 'users.id', 'family.user_id')
    .select(['token.spent_at', 'token.family_id', 'family.expires_at', 'family.revoked_at'])
    .select(['users.id as user_id', 'users.roles as user_roles'])
    .where('token.token_hash', '=', tokenHash)
    .forUpdate(['token', 'family'])
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    spentAt: row.spent_at,
    familyId: row.family_id,
    family: { expiresAt: row.expires_at, revokedAt: row.revoked_at },
    user: { id: row.user_id, roles: row.user_roles },
  };
}

export interface Rotation {
  familyId: string;
  spentHash: Buffer;
  nextHash: Buffer;
  now: Date;
  expiresAt: Date;
}

/** Marks a locked token as spent, inserts its successor and extends the family's expiry. */
export async function rotateToken(trx: Transaction<Database>, rotation: Rotation): Promise<void> {
  const { familyId, spentHash, nextHash, now, expiresAt } = rotation;
  await trx
    .updateTable('refresh_tokens')
    .set({ spent_at: now })
    .where('token_hash', '=', spentHash)
    .execute();
  await insertToken(trx, { tokenHash: nextHash, familyId, issuedAt: now });
  await trx
    .updateTable('refresh_families')
    .set({ expires_at: expiresAt })
    .where('id', '=', familyId)
    .execute();
}

export async function revokeFamily(
  trx: Transaction<Database>,
  familyId: string,
  { reason, now }: { reason: 'reuse' | 'logout'; now: Date },
): Promise<void> {
  await trx
    .updateTable('refresh_families')
    .set({ revoked_at: now, revoked_for: reason })
    .where('id', '=', familyId)
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

export async function findFamilyId(db: Kysely<Database>, tokenHash: Buffer): Promise<string | undefined> {
  const row = await db
    .selectFrom('refresh_tokens')
    .select('family_id')
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst();
  return row?.family_id;
}

async function insertToken(
  trx: Transaction<Database>,
  token: { tokenHash: Buffer; familyId: string; issuedAt: Date },
): Promise<void> {
  await trx
    .insertInto('refresh_tokens')
    .values({ token_hash: token.tokenHash, family_id: token.familyId, issued_at: token.issuedAt })
    .execute();
}
