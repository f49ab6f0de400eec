/**
 * Announces the addresses and languages of all users again, for a notification that lost its copy. They go through the outbox, as every
 * change does. Notification keeps what is newer.
 */
import type { Logger } from '@payflowx/chassis';
import { inTransaction, waitForRelays } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { announce, IDENTITY_DESTINATION } from '../messages/identity-event.ts';
import type { Database } from '../store/database.ts';
import { lockUsersAfter } from '../store/users.ts';

interface Deps {
  db: Kysely<Database>;
  log: Logger;
  now(): Date;
}

const USERS_AT_ONCE = 200;

/** Safe at any time, and to repeat. Returns the number of users. */
export async function announceContacts({ db, log, now }: Deps, usersAtOnce = USERS_AT_ONCE): Promise<number> {
  let count = 0;
  for (let afterId = ''; ; ) {
    await waitForRelays(db, log, [IDENTITY_DESTINATION]);
    // Locked, so that no change of a user is announced before its older state.
    const users = await inTransaction(db, async (trx) => {
      const locked = await lockUsersAfter(trx, afterId, usersAtOnce);
      const facts = locked.map((user) => ({ type: 'identity.contact_changed', user }) as const);
      await announce(trx, facts, now());
      return locked;
    });
    const last = users.at(-1);
    if (!last) return count;
    count += users.length;
    afterId = last.id;
    log.info({ users: count, lastId: last.id }, 'announcing contacts again');
  }
}
