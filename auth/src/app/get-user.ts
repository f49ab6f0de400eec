/** Returns one user to an admin or an operator. */
import type { Kysely } from 'kysely';
import { AuthError } from '../domain/errors.ts';
import { isUserId, type User } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { findUser } from '../store/users.ts';

/** Throws USER_NOT_FOUND. */
export async function getUser({ db }: { db: Kysely<Database> }, userId: string): Promise<User> {
  const user = isUserId(userId) ? await findUser(db, userId) : undefined;
  if (!user) throw userNotFound();
  return user;
}

export function userNotFound(): AuthError {
  return new AuthError('USER_NOT_FOUND', 'The user does not exist.');
}
