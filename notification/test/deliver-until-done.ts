/** Stores an event as the consumer does, and sends what is due until nothing is. Tests kill it. Arguments: URL, sealing key, event, faults. */
import { armFaults } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { eventually, testLog } from '@payflowx/chassis/testing';
import { startDeliverer } from '../src/app/deliver-webhooks.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import { decodeStep } from '../src/consumers/payment-notifications.ts';
import { startJobQueue } from '../src/jobs/job-queue.ts';
import type { Database } from '../src/store/database.ts';
import { createAddressPolicy } from '../src/webhooks/address-policy.ts';
import { createWebhookSender } from '../src/webhooks/send-request.ts';

const [url = '', key = '', event = '', faults] = process.argv.slice(2);
armFaults(faults);
const db = openDatabase<Database>({ url, poolMax: 4 }, testLog);
const jobs = await startJobQueue({ url }, testLog);
const policy = createAddressPolicy({ allowHttp: true, allowedNetworks: ['127.0.0.0/8'], ports: undefined });
const sender = createWebhookSender(policy);
const sealingKey = Buffer.from(key, 'base64');
const deliverer = startDeliverer({ db, jobs, sender, sealingKey, log: testLog });

await recordSteps({ db, wake: deliverer.wake }, [decodeStep({ payload: Buffer.from(event, 'base64') })]);
await eventually(async () => {
  const pending = await db
    .selectFrom('webhook_deliveries')
    .select('id')
    .where('state', '=', 'pending')
    .execute();
  if (pending.length > 0) throw new Error('not everything is delivered');
});
await deliverer.stop();
await jobs.stop();
sender.close();
await db.destroy();
