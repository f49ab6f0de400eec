/** Stores what auth announces about users: how to reach them, and the mails about their security and their address. */
import { newId } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Language } from '@payflowx/proto/vocabulary';
import type { Transaction } from 'kysely';
import type { MailContent, SecurityChange } from '../domain/mail-content.ts';
import { findRecipient, saveContact } from '../store/contacts.ts';
import type { Database } from '../store/database.ts';
import { insertMails, type NewMail } from '../store/mails.ts';
import type { RecordDeps } from './record-steps.ts';

interface About {
  eventId: string;
  occurredAt: Date;
  userId: string;
}

/** Empty texts mean that there is none. */
export type IdentityFact =
  | (About & { kind: 'contact'; email: string; isConfirmed: boolean; language: string; version: bigint })
  | (About & { kind: 'security'; change: SecurityChange; subjectName: string; email: string })
  | (About & { kind: 'confirmation'; confirmationId: string });

/** Safe to repeat: an older contact changes nothing, and each event causes one mail. */
export async function recordIdentityFacts(
  { db, addMailJobs }: Omit<RecordDeps, 'wake'>,
  facts: readonly IdentityFact[],
): Promise<void> {
  await inTransaction(db, async (trx) => {
    // In order of the users, so that two consumers cannot deadlock. sort() keeps the order of a user's facts.
    for (const fact of facts.toSorted((a, b) => (a.userId < b.userId ? -1 : Number(a.userId > b.userId)))) {
      if (fact.kind === 'contact') await saveContact(trx, contactOf(fact));
    }
    if (!addMailJobs) return;
    const mails: NewMail[] = [];
    for (const fact of facts) if (fact.kind !== 'contact') mails.push(await mailOf(trx, fact));
    await addMailJobs(trx, await insertMails(trx, mails));
  });
}

function contactOf(fact: IdentityFact & { kind: 'contact' }) {
  const { userId, email, isConfirmed, language, version } = fact;
  return { userId, email: email || null, isConfirmed, language: language || null, version };
}

async function mailOf(
  trx: Transaction<Database>,
  fact: Exclude<IdentityFact, { kind: 'contact' }>,
): Promise<NewMail> {
  const { language } = await findRecipient(trx, fact.userId);
  return {
    id: newId('mail'),
    cause: fact.eventId,
    userId: fact.userId,
    address: fact.kind === 'security' ? fact.email || null : null,
    paymentId: null,
    content: contentOf(fact, language),
    createdAt: new Date(),
  };
}

function contentOf(fact: Exclude<IdentityFact, { kind: 'contact' }>, language: Language): MailContent {
  if (fact.kind === 'confirmation') {
    return { kind: 'confirmation', language, confirmationId: fact.confirmationId };
  }
  const { change, subjectName, occurredAt } = fact;
  return { kind: 'security', language, change, subjectName, occurredAt: occurredAt.toISOString() };
}
