/** The job of a mail: to send it. */
import type { Transaction } from 'kysely';
import type { Database } from '../store/database.ts';

/** Stores a job for each mail, in the transaction that stores the mails. */
export type AddMailJobs = (trx: Transaction<Database>, mailIds: readonly string[]) => Promise<void>;
