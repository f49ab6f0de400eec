/** Lists the API clients that act for users, newest first, including revoked ones. */
import type { Page } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { isUserId } from '../domain/user.ts';
import type { UserApiClient } from '../domain/user-api-client.ts';
import type { Database } from '../store/database.ts';
import { listUserApiClients } from '../store/user-api-clients.ts';
import { type PageRequest, toPage } from './page.ts';

/** Undefined lists the clients of all users. */
export async function listApiClients(
  { db }: { db: Kysely<Database> },
  { pageSize, beforeId, userId }: PageRequest & { userId: string | undefined },
): Promise<Page<UserApiClient>> {
  if (userId !== undefined && !isUserId(userId)) return toPage([], pageSize);
  return toPage(await listUserApiClients(db, { limit: pageSize + 1, beforeId, userId }), pageSize);
}
