/** The deliveries of webhooks and the mails that wait, for the metrics. */
import { gauges } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { readWaiting } from '../store/waiting.ts';

const READ_EVERY_MS = 5_000;

/** Every instance reports the figures of the whole service. */
export function measureBacklogs(db: Kysely<Database>): void {
  gauges(
    {
      'payflowx.webhook.deliveries.pending': { description: 'Webhook deliveries that are not delivered yet' },
      'payflowx.webhook.deliveries.oldest.age': {
        description: 'Age of the oldest webhook delivery that is not delivered yet',
        unit: 's',
      },
      'payflowx.mails.pending': { description: 'Mails that are not sent yet' },
    },
    async () => {
      const { deliveryCount, oldestDeliveryAgeS, mailCount } = await readWaiting(db);
      return [
        { name: 'payflowx.webhook.deliveries.pending', value: deliveryCount },
        { name: 'payflowx.webhook.deliveries.oldest.age', value: oldestDeliveryAgeS },
        { name: 'payflowx.mails.pending', value: mailCount },
      ];
    },
    { everyMs: READ_EVERY_MS },
  );
}
