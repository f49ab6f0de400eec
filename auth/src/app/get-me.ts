/** Returns the user of a token. */
import type { Kysely } from 'kysely';
import { AuthError } from '../domain/errors.ts';
import type { User } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { findUser } from '../store/users.ts';

/** Throws USER_NOT_FOUND. */
export async function getMe({ db }: { db: Kysely<Database> }, callerId: string): Promise<User> {
  const user = await findUser(db, callerId);
  if (!user) throw new AuthError('USER_NOT_FOUND', 'The user of this token does not exist.');
  return user;
}
