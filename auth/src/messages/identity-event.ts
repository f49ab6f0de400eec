/** Encodes what notification must know about users, and stores it in the outbox. */
import { newId } from '@payflowx/chassis';
import { insertOutbox, type OutboxRow } from '@payflowx/chassis/postgres';
import { IdentityEvent, SecurityChange as SecurityChangeMessage } from '@payflowx/proto/auth';
import type { Transaction } from 'kysely';
import type { SecurityChange, SecurityChangeKind } from '../domain/security-changes.ts';
import type { User } from '../domain/user.ts';
import type { Database } from '../store/database.ts';

/** The destination name of the RabbitMQ queue in the outbox. */
export const IDENTITY_DESTINATION = 'identity-notifications';

/** The CloudEvents source of all events. */
const SOURCE = '/payflowx/auth';

const KINDS: Record<SecurityChangeKind, SecurityChangeMessage> = {
  password_changed: SecurityChangeMessage.PASSWORD_CHANGED,
  password_reset: SecurityChangeMessage.PASSWORD_RESET,
  second_factor_added: SecurityChangeMessage.SECOND_FACTOR_ADDED,
  second_factor_removed: SecurityChangeMessage.SECOND_FACTOR_REMOVED,
  api_client_created: SecurityChangeMessage.API_CLIENT_CREATED,
  address_changed: SecurityChangeMessage.ADDRESS_CHANGED,
};

export type IdentityFact =
  | { type: 'identity.contact_changed'; user: User }
  | { type: 'identity.security_changed'; change: SecurityChange }
  | { type: 'identity.email_confirmation_requested'; userId: string; confirmationId: string };

/** Stores the facts in the transaction of their cause. */
export async function announce(
  trx: Transaction<Database>,
  facts: readonly IdentityFact[],
  now: Date,
): Promise<void> {
  await insertOutbox(
    trx,
    facts.map((fact) => toOutboxRow(fact, now)),
  );
}

function toOutboxRow(fact: IdentityFact, now: Date): OutboxRow {
  const id = newId('evt');
  const userId = userIdOf(fact);
  const payload = IdentityEvent.encode({ id, occurredAt: now, userId, event: eventOf(fact) }).finish();
  const event = { id, type: fact.type, source: SOURCE, time: now, subject: userId, key: userId, payload };
  return { destination: IDENTITY_DESTINATION, event };
}

function userIdOf(fact: IdentityFact): string {
  switch (fact.type) {
    case 'identity.contact_changed':
      return fact.user.id;
    case 'identity.security_changed':
      return fact.change.userId;
    case 'identity.email_confirmation_requested':
      return fact.userId;
  }
}

function eventOf(fact: IdentityFact): IdentityEvent['event'] {
  switch (fact.type) {
    case 'identity.contact_changed': {
      const { email, emailVerified, language, version } = fact.user;
      const value = { email: email ?? '', emailVerified, language: language ?? '', version };
      return { $case: 'contactChanged', value };
    }
    case 'identity.security_changed': {
      const { kind, subjectName, email = '' } = fact.change;
      return { $case: 'securityChanged', value: { change: KINDS[kind], subjectName, email } };
    }
    case 'identity.email_confirmation_requested':
      return { $case: 'emailConfirmationRequested', value: { confirmationId: fact.confirmationId } };
  }
}
