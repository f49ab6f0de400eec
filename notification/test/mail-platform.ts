/** A notification database with a job queue, a running mail worker, and a mail server. */
import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, eventually, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { type IdentityFact, recordIdentityFacts } from '../src/app/record-identity-facts.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import type { SendMailDeps } from '../src/app/send-mail.ts';
import { connectMailServer } from '../src/clients/mail-server.ts';
import type { PaymentStep } from '../src/domain/notice.ts';
import { startJobQueue } from '../src/jobs/job-queue.ts';
import { addMailJobs, startMailWorker } from '../src/jobs/mail-worker.ts';
import type { Database, MailRow } from '../src/store/database.ts';

export const FROM = { name: 'PayFlowX', address: 'no-reply@payflowx.example' };

export type MailPlatform = Awaited<ReturnType<typeof startMailPlatform>>;

export async function startMailPlatform(url: string, neighbours: Partial<SendMailDeps> = {}) {
  const migrations = new URL('../migrations/', import.meta.url);
  const database = await createTestDatabase({ service: 'notification', migrations });
  const parts = await startMailParts(database, url, neighbours);
  const recording = { db: parts.db, wake: () => {}, addMailJobs: parts.addJobs };
  return {
    ...parts,
    database,
    record: (...steps: PaymentStep[]) => recordSteps(recording, steps),
    announce: (...facts: IdentityFact[]) => recordIdentityFacts(recording, facts),
    /** The user's mail, once it is no longer pending or has this number of attempts. */
    mailOf: (userId: string, attempts = Number.POSITIVE_INFINITY) =>
      eventually(async () => {
        const mail = await selectMail(parts.db, userId);
        if (mail.state === 'pending' && mail.attempts < attempts) throw new Error('still pending');
        return mail;
      }),
    /** Ends the pauses before the next attempts. */
    async skipPauses() {
      await sql`update jobs.job set start_after = now() where name = 'mails'`.execute(parts.db);
    },
    async stop() {
      await parts.stop();
      await database.drop();
    },
  };
}

/** Also for a process that is killed while it sends. */
export async function startMailParts(
  database: Pick<TestDatabase, 'url'>,
  url: string,
  neighbours: Partial<SendMailDeps> = {},
) {
  const db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const queue = await startJobQueue(database, testLog);
  const server = connectMailServer({ url, startTls: 'off', ca: undefined, connections: 2, from: FROM });
  const deps = {
    ...{ db, queue, server, publicUrl: 'https://pay.example', log: testLog, now: () => new Date() },
    accounts: { timeZoneOf: async () => 'Europe/Berlin' },
    confirmations: { find: async () => undefined },
    ...neighbours,
  };
  const worker = startMailWorker(deps);
  return {
    db,
    addJobs: (trx: Parameters<typeof addMailJobs>[1], ids: readonly string[]) => addMailJobs(queue, trx, ids),
    async stop() {
      await worker.stop();
      await queue.stop();
      server.close();
      await db.destroy();
    },
  };
}

function selectMail(db: Kysely<Database>, userId: string): Promise<MailRow> {
  return db
    .selectFrom('mails')
    .selectAll()
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow() as Promise<MailRow>;
}

/** A user with a confirmed address, announced by auth. */
export function contact(
  userId: string,
  changes: Partial<IdentityFact & { kind: 'contact' }> = {},
): IdentityFact {
  const about = { eventId: newId('evt'), occurredAt: new Date(), userId };
  const email = `${userId}@example.org`;
  return { ...about, kind: 'contact', email, isConfirmed: true, language: 'en', version: 1n, ...changes };
}

/** A payment of 12.50 EUR from one user to another. */
export function step(from: string, to: string, changes: Partial<PaymentStep> = {}): PaymentStep {
  return {
    eventId: newId('evt'),
    type: 'payment.completed',
    occurredAt: new Date('2026-07-01T22:30:00Z'),
    paymentId: newId('pay'),
    version: 2n,
    amountMinor: 1_250n,
    movedMinor: 1_250n,
    capturedMinor: 1_250n,
    freedMinor: 0n,
    currency: 'EUR',
    failure: { code: '', message: '' },
    isCollected: false,
    description: 'Rent',
    reference: 'R-1',
    content: Buffer.alloc(0),
    sender: { accountId: `acct_${from}`, ownerId: from },
    receiver: { accountId: `acct_${to}`, ownerId: to },
    ...changes,
  };
}
