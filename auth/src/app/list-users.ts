/** A page of users, newest first. */
import type { Kysely } from 'kysely';
import type { User } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import * as users from '../store/users.ts';

export interface UserPage {
  users: User[];
  /** Where the next page starts; undefined on the last one. */
  nextBeforeId: string | undefined;
}

export async function listUsers(
  { db }: { db: Kysely<Database> },
  { pageSize, beforeId }: { pageSize: number; beforeId?: string | undefined },
): Promise<UserPage> {
  // One more than asked for tells whether there is a next page.
  const found = await users.listUsers(db, { limit: pageSize + 1, beforeId });
  const page = found.slice(0, pageSize);
  return { users: page, nextBeforeId: found.length > pageSize ? page.at(-1)?.id : undefined };
}
