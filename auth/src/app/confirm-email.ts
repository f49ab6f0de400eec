/** Confirms the addresses of users: sends links, and accepts them. */
import { type Keys, newId, type Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import {
  hashConfirmationToken,
  invalidConfirmationToken,
  newConfirmation,
  requireQuota,
  startOfQuota,
  tokenWithHash,
} from '../domain/email-confirmation.ts';
import { AuthError } from '../domain/errors.ts';
import type { User } from '../domain/user.ts';
import { announce, type IdentityFact } from '../messages/identity-event.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import {
  deleteConfirmationsOf,
  findConfirmation,
  insertConfirmation,
  requestTimesSince,
} from '../store/email-confirmations.ts';
import { findUser, lockUser, saveUser } from '../store/users.ts';

export interface ConfirmDeps {
  db: Kysely<Database>;
  sealingKey: Keys;
  now(): Date;
}

/**
 * Announces a change of address or language, in the transaction of the change. Links to the former address end. The former address
 * gets a mail, if it was confirmed.
 */
export async function announceContact(
  trx: Transaction<Database>,
  { sealingKey, now }: Pick<ConfirmDeps, 'sealingKey' | 'now'>,
  before: User,
  after: User,
): Promise<void> {
  if (before.email === after.email && before.language === after.language) return;
  const facts: IdentityFact[] = [{ type: 'identity.contact_changed', user: after }];
  if (before.email !== after.email) {
    await deleteConfirmationsOf(trx, after.id);
    if (before.email !== null && before.emailVerified) facts.push(addressChanged(after.id, before.email));
    if (after.email !== null)
      facts.push(await requestConfirmation(trx, sealingKey, after.id, after.email, now()));
  }
  await announce(trx, facts, now());
}

function addressChanged(userId: string, formerEmail: string): IdentityFact {
  const change = { userId, kind: 'address_changed', subjectName: '', email: formerEmail } as const;
  return { type: 'identity.security_changed', change };
}

async function requestConfirmation(
  trx: Transaction<Database>,
  sealingKey: Keys,
  userId: string,
  email: string,
  now: Date,
): Promise<IdentityFact> {
  const confirmation = newConfirmation({ id: newId('ecf'), userId, email }, sealingKey, now);
  await insertConfirmation(trx, confirmation);
  return { type: 'identity.email_confirmation_requested', userId, confirmationId: confirmation.id };
}

/** Sends another link to the caller's address. Throws NO_EMAIL_TO_CONFIRM, TOO_MANY_CONFIRMATIONS. */
export async function resendConfirmation(
  { db, sealingKey, now }: ConfirmDeps,
  userId: string,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    // Of concurrent requests, each counts those before it.
    await lockUser(trx, userId);
    const user = await findUser(trx, userId);
    if (!user?.email || user.emailVerified) {
      throw new AuthError('NO_EMAIL_TO_CONFIRM', 'You have no address that is not confirmed.');
    }
    requireQuota(await requestTimesSince(trx, userId, startOfQuota(now())), now());
    await announce(trx, [await requestConfirmation(trx, sealingKey, userId, user.email, now())], now());
  });
}

/** Of two concurrent requests with one token, one succeeds. Throws INVALID_CONFIRMATION_TOKEN. */
export async function confirmEmail(
  { db, now }: ConfirmDeps,
  { token, call }: { token: string; call: Pick<Origin, 'traceId' | 'callId'> },
): Promise<void> {
  const tokenHash = hashConfirmationToken(token);
  await inTransaction(db, async (trx) => {
    const found = await findConfirmation(trx, { tokenHash }, now());
    if (!found) throw invalidConfirmationToken();
    await lockUser(trx, found.userId);
    // Read again under the lock: a concurrent request or a change of the address deletes it.
    const [confirmation, user] = [
      await findConfirmation(trx, { tokenHash }, now()),
      await findUser(trx, found.userId),
    ];
    if (!confirmation || !user || user.email !== confirmation.email) throw invalidConfirmationToken();
    await deleteConfirmationsOf(trx, user.id);
    if (user.emailVerified) return;
    const confirmed = { ...user, emailVerified: true, version: user.version + 1n };
    await saveUser(trx, confirmed);
    const fact = { action: 'user.email_confirmed', subjectId: user.id, details: {} } as const;
    await insertAuditRecord(trx, { callerId: user.id, ...call }, fact, now());
    await announce(trx, [{ type: 'identity.contact_changed', user: confirmed }], now());
  });
}

/** Returns the address and the token for the mail with the link. Throws CONFIRMATION_NOT_FOUND. */
export async function getConfirmation(
  { db, sealingKey, now }: ConfirmDeps,
  id: string,
): Promise<{ email: string; token: string }> {
  const found = await findConfirmation(db, { id }, now());
  const user = found && (await findUser(db, found.userId));
  const token = found && tokenWithHash(id, found.tokenHash, sealingKey);
  if (!found || token === undefined || user?.email !== found.email) {
    throw new AuthError(
      'CONFIRMATION_NOT_FOUND',
      'This confirmation is unknown, used, expired or out of date.',
    );
  }
  return { email: found.email, token };
}
