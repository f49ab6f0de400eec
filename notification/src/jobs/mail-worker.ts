/**
 * Sends the mails of the job queue. The result of an attempt and the end of its job are stored in one transaction. A process that dies
 * between the mail server's answer and that transaction sends the mail again, with the same Message-ID.
 */
import { faultPoint, inTime, repeat } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Transaction } from 'kysely';
import { attemptMail, type SendMailDeps } from '../app/send-mail.ts';
import { conclude } from '../domain/mail-delivery.ts';
import type { Database } from '../store/database.ts';
import { suppress } from '../store/mail-suppressions.ts';
import { findMail, saveOutcome } from '../store/mails.ts';
import type { ClaimedJob, JobQueue } from './job-queue.ts';

interface MailJob {
  mailId: string;
}

export interface MailWorkerDeps extends SendMailDeps {
  queue: JobQueue;
  now(): Date;
}

export interface MailWorker {
  /** Claims no more mails, and waits a moment for those that are being sent. */
  stop(): Promise<void>;
}

const QUEUE = 'mails';
/** Mails in flight in one instance. They share the few connections to the mail server. */
const MAX_IN_FLIGHT = 10;
const POLL_MS = 1_000;
/** More often than the heartbeat of the queue, which is 10 s: 0010_mails.sql. */
const REPORT_MS = 3_000;
/** A mail that takes longer is sent again by another instance. */
const STOP_MS = 4_000;

/** Stores a job for each mail: for now, or for later. */
export async function addMailJobs(
  queue: JobQueue,
  trx: Transaction<Database>,
  mailIds: readonly string[],
  afterS = 0,
): Promise<void> {
  const jobs = mailIds.map((mailId) => ({ singletonKey: mailId, data: { mailId }, startAfter: afterS }));
  await queue.add(QUEUE, jobs, trx);
}

export function startMailWorker(deps: MailWorkerDeps): MailWorker {
  const { queue, log } = deps;
  const inFlight = new Map<ClaimedJob<MailJob>, Promise<void>>();

  function start(job: ClaimedJob<MailJob>): void {
    const work = sendOne(deps, job)
      .catch((error) => log.warn({ err: error, mailId: job.data.mailId }, 'a mail stays in the queue'))
      .finally(() => inFlight.delete(job));
    inFlight.set(job, work);
  }

  async function claim(): Promise<boolean> {
    const free = MAX_IN_FLIGHT - inFlight.size;
    if (free === 0) {
      await Promise.race(inFlight.values());
      return true;
    }
    const jobs = await queue.claim<MailJob>(QUEUE, free);
    jobs.forEach(start);
    return jobs.length === free;
  }

  const claims = repeat('claiming mails', POLL_MS, claim, log);
  const report = () => queue.report(QUEUE, [...inFlight.keys()]).then(() => false);
  const reports = repeat('reporting mails', REPORT_MS, report, log);
  return {
    async stop() {
      await claims.stop();
      await inTime(Promise.all(inFlight.values()), STOP_MS, () => []);
      await reports.stop();
    },
  };
}

async function sendOne(deps: MailWorkerDeps, job: ClaimedJob<MailJob>): Promise<void> {
  const { db, queue, now, log } = deps;
  const mail = await findMail(db, job.data.mailId);
  // Sent before a crash that left the job, or purged.
  if (mail?.state !== 'pending') return queue.finish(QUEUE, [job]);
  const { attempt, address } = await attemptMail(deps, mail);
  faultPoint('notification.after-mail');
  const { retryAfterS, ...conclusion } = conclude(mail.attempts, attempt);
  await inTransaction(db, async (trx) => {
    const sentAt = conclusion.state === 'sent' ? now() : null;
    await saveOutcome(trx, mail.id, { ...conclusion, address, sentAt });
    if (attempt.result === 'address refused' && address !== null) {
      await suppress(trx, { address, response: conclusion.lastError ?? '', mailId: mail.id, now: now() });
    }
    if (retryAfterS !== undefined) await addMailJobs(queue, trx, [mail.id], retryAfterS);
    await queue.finish(QUEUE, [job], trx);
  });
  const { state, reason, attempts } = conclusion;
  log[state === 'failed' ? 'warn' : 'info'](
    { mailId: mail.id, state, reason, attempts },
    'a mail was attempted',
  );
}
