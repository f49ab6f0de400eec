/** Puts together the parts that send mails. */
import type { Certificates, Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { AddMailJobs } from './app/mail-jobs.ts';
import { startMailPurge } from './app/purge-mails.ts';
import { connectAccounts } from './clients/accounts.ts';
import { connectConfirmations } from './clients/confirmations.ts';
import { connectMailServer } from './clients/mail-server.ts';
import type { loadConfig } from './config.ts';
import type { JobQueue } from './jobs/job-queue.ts';
import { addMailJobs, startMailWorker } from './jobs/mail-worker.ts';
import type { Database } from './store/database.ts';

type Config = ReturnType<typeof loadConfig>;

interface Parts {
  db: Kysely<Database>;
  queue: JobQueue;
  certificates: Certificates;
  log: Logger;
}

export interface MailSending {
  /** Undefined without a mail server: no mails are stored then. */
  addMailJobs: AddMailJobs | undefined;
  stop(): Promise<void>;
}

const now = () => new Date();

/** Old mails are deleted without a mail server, too. */
export function startMailSending(config: Config, { db, queue, certificates, log }: Parts): MailSending {
  const purge = startMailPurge({ db, retentionMs: config.mailRetentionMs, now, log });
  if (!config.mail) return { addMailJobs: undefined, stop: () => purge.stop() };
  const { server: settings, publicUrl } = config.mail;
  const server = connectMailServer(settings);
  const accounts = connectAccounts({ target: config.authorizationTarget, certificates });
  const confirmations = connectConfirmations({ target: config.authTarget, certificates });
  const worker = startMailWorker({ db, queue, server, accounts, confirmations, publicUrl, now, log });
  return {
    addMailJobs: (trx, mailIds) => addMailJobs(queue, trx, mailIds),
    async stop() {
      await worker.stop();
      await purge.stop();
      for (const client of [server, accounts, confirmations]) client.close();
    },
  };
}
