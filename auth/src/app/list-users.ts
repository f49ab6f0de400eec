/** Lists users, newest first. */
import type { Page } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { User } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import * as users from '../store/users.ts';
import { type PageRequest, toPage } from './page.ts';

export async function listUsers(
  { db }: { db: Kysely<Database> },
  { pageSize, ...filter }: PageRequest & users.UserFilter,
): Promise<Page<User>> {
  return toPage(await users.listUsers(db, { ...filter, limit: pageSize + 1 }), pageSize);
}
