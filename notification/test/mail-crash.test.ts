import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, mortalScript, testLog } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { recordIdentityFacts } from '../src/app/record-identity-facts.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import { startJobQueue } from '../src/jobs/job-queue.ts';
import { addMailJobs } from '../src/jobs/mail-worker.ts';
import type { Database } from '../src/store/database.ts';
import { contact, step } from './mail-platform.ts';
import { startMailServer } from './smtp-servers.ts';

it('a process that is killed between the server and the database sends the mail again, with the same Message-ID', async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  const database = await createTestDatabase({ service: 'notification', migrations });
  const db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  const server = await startMailServer();
  const queue = await startJobQueue(database, testLog);
  const user = newId('usr');
  await recordIdentityFacts({ db }, [contact(user)]);
  await recordSteps({ db, wake: () => {}, addMailJobs: (trx, ids) => addMailJobs(queue, trx, ids) }, [
    step(user, ''),
  ]);
  await queue.stop();

  const sender = await mortalScript(new URL('mail-process.ts', import.meta.url), [database.url, server.url]);
  await sender.dieAt('notification.after-mail');
  expect(server.received).toHaveLength(1);
  await sender.finish();
  const mails = await db.selectFrom('mails').select(['id', 'state', 'attempts']).execute();
  expect(mails).toMatchObject([{ state: 'sent', attempts: 1 }]);
  const ids = server.received.map(({ source }) => /^Message-ID: .*$/m.exec(source)?.[0]);
  expect(ids).toEqual([`Message-ID: <${mails[0]?.id}@payflowx.example>`, ids[0]]);

  await sender.drop();
  await server.close();
  await db.destroy();
  await database.drop();
});
