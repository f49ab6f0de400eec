/** The dead letters of the queues that this service consumes. */
import { type BoundService, type DeadLetterSource, deadLetterService, type Logger } from '@payflowx/chassis';
import { redriveAudit } from '@payflowx/chassis/postgres';
import { deadLetterQueue, type QueueSettings } from '@payflowx/chassis/rabbit';
import { identityEventJson, paymentEventJson } from '@payflowx/proto/message-json';
import type { Kysely } from 'kysely';
import type { Database } from './store/database.ts';

export interface QueuesSettings {
  queue: QueueSettings;
  identityQueue: QueueSettings;
}

export interface DeadLetters {
  service: BoundService;
  sources: readonly DeadLetterSource[];
}

export function deadLetters(
  { queue, identityQueue }: QueuesSettings,
  { db, log }: { db: Kysely<Database>; log: Logger },
): DeadLetters {
  const sources = [
    deadLetterQueue({ ...queue, name: 'payment-notifications' }, log),
    deadLetterQueue({ ...identityQueue, name: 'identity-notifications' }, log),
  ];
  const service = deadLetterService({
    service: 'notification',
    sources,
    audit: redriveAudit(db),
    decode: (source, payload) =>
      source === 'payment-notifications' ? paymentEventJson(payload) : identityEventJson(payload),
  });
  return { service, sources };
}
