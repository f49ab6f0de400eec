/** Returns the user of a token. */
import type { Kysely } from 'kysely';
import type { User } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { findUser } from '../store/users.ts';
import { userNotFound } from './get-user.ts';

/** Throws USER_NOT_FOUND. */
export async function getMe({ db }: { db: Kysely<Database> }, callerId: string): Promise<User> {
  const user = await findUser(db, callerId);
  if (!user) throw userNotFound();
  return user;
}
