/** Disables endpoints that can no longer be delivered to, and tells their owners by an event and by mail. */
import { idAt, newId } from '@payflowx/chassis';
import { WebhookEndpoint } from '@payflowx/proto/notification';
import type { Language } from '@payflowx/proto/vocabulary';
import type { Transaction } from 'kysely';
import { DEFAULT_LANGUAGE } from '../domain/language.ts';
import { findRecipients } from '../store/contacts.ts';
import type { Database, EndpointRow, EventRow } from '../store/database.ts';
import { disableEndpoint } from '../store/due-deliveries.ts';
import { insertMails, type NewMail } from '../store/mails.ts';
import { recordEvents, type WokenEndpoint } from '../store/record-events.ts';
import { toEndpointMessage } from './endpoint-message.ts';
import type { AddMailJobs } from './mail-jobs.ts';

export interface Ending {
  /** With the URL that the attempts went to. */
  endpoint: EndpointRow;
  reason: 'gone' | 'failing';
}

/** Endpoints that are no longer enabled, or have another URL by now, are left out. Returns the endpoints that get one of the events. */
export async function disableFailing(
  trx: Transaction<Database>,
  endings: readonly Ending[],
  { now, addMailJobs }: { now: Date; addMailJobs: AddMailJobs | undefined },
): Promise<WokenEndpoint[]> {
  const ended: { endpoint: EndpointRow; reason: Ending['reason']; event: EventRow }[] = [];
  // By id, so that two batches cannot deadlock.
  const sorted = endings.toSorted((a, b) => (a.endpoint.id < b.endpoint.id ? -1 : 1));
  for (const { endpoint: attempted, reason } of sorted) {
    const endpoint = await disableEndpoint(trx, attempted, reason);
    if (endpoint)
      ended.push({ endpoint, reason, event: endpointEvent('webhook_endpoint.disabled', endpoint, now) });
  }
  if (ended.length === 0) return [];
  if (addMailJobs) {
    const owners = await findRecipients(
      trx,
      ended.map(({ endpoint }) => endpoint.owner_id),
    );
    const languageOf = (ownerId: string) => owners.get(ownerId)?.language ?? DEFAULT_LANGUAGE;
    const mails = ended.map((each) => mailOf(each, languageOf(each.endpoint.owner_id), now));
    await addMailJobs(trx, await insertMails(trx, mails));
  }
  // Last, because its lock is held until the commit.
  return recordEvents(trx, { notifications: [], events: ended.map(({ event }) => event) });
}

/** Always sent, whatever the preferences of the owner are. */
function mailOf(
  { endpoint, reason, event }: { endpoint: EndpointRow; reason: Ending['reason']; event: EventRow },
  language: Language,
  now: Date,
): NewMail {
  const { id: endpointId, owner_id: userId, description } = endpoint;
  const { origin, pathname } = new URL(endpoint.url);
  const url = origin + pathname;
  const about = { endpointId, url, description, occurredAt: now.toISOString() };
  return {
    id: newId('mail'),
    cause: event.id,
    userId,
    address: null,
    paymentId: null,
    content: { kind: 'webhook_endpoint', language, reason, ...about },
    createdAt: new Date(),
  };
}

/** An event about an endpoint. Its owner and operators see it. */
export function endpointEvent(
  type: 'webhook_endpoint.disabled' | 'webhook_endpoint.test',
  endpoint: EndpointRow,
  now: Date,
): EventRow {
  return {
    id: idAt('evt', now),
    type,
    payment_id: null,
    sender_account_id: null,
    receiver_account_id: null,
    sender_owner_id: endpoint.owner_id,
    receiver_owner_id: null,
    created_at: now,
    content: Buffer.from(WebhookEndpoint.encode(toEndpointMessage(endpoint)).finish()),
  };
}
