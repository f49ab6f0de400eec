/** Everything that happened to one payment, from every service that has records of it. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { CallSettings } from '@payflowx/chassis';
import { Direction, Layer } from '@payflowx/proto/ledger';
import type { FastifyRequest } from 'fastify';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import { mergeTimeline } from '../answers/timeline.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { unlessSilent } from '../clients/unless-silent.ts';
import { problem } from '../schemas/answers.ts';
import { PaymentId, pathId } from '../schemas/ids.ts';
import { ref } from '../schemas/named.ts';
import { type Source, Timeline } from '../schemas/timeline.ts';

/** A payment has a few entries. The limit still shows a payment with hundreds of captures in full. */
const MAX_PAGES = 10;
const PAGE_SIZE = 100;

type Options = Pick<Neighbours, 'payment' | 'ledger' | 'notification'>;

export const timelineRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { payment, ledger, notification },
) => {
  app.get('/v1/payments/:id/timeline', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'getTimeline',
      summary:
        'Get everything that happened to a payment, in order: steps, decisions, postings, notifications',
      description:
        'Readers see only their own data: entries of their accounts, notifications to them, decisions about their money. If the ledger or the notification service does not answer, the response has the rest, and `incomplete` names the missing service. Postings and notifications appear a moment after their step.',
      params: pathId(ref(PaymentId)),
      response: { 200: ref(Timeline), 404: problem(['PAYMENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const paymentId = request.params.id;
      const settings = asCaller(request);
      // A caller who may not see the payment gets 404 here, before the other services are called.
      const { steps } = await payment.listPaymentSteps({ paymentId }, settings);
      const [entries, notifications] = await Promise.all([
        partOf('ledger', () => listEntries(ledger, paymentId, settings), request),
        partOf('notification', () => listNotifications(notification, paymentId, settings), request),
      ]);
      return {
        data: mergeTimeline({ steps, entries: entries.items, notifications: notifications.items }),
        incomplete: [...entries.incomplete, ...notifications.incomplete],
      };
    },
  });
};

interface Part<T> {
  items: T[];
  incomplete: Source[];
}

/** The scope that an API client needs for the items of a source. */
const SCOPE_OF = { ledger: 'ledger:read', notification: 'notifications:read' } as const;

/**
 * Returns the items of one source. Returns none, and marks the source as incomplete, if it does not answer, or if the caller's token
 * lacks its scope. Then the source is not called: its refusal would look like an attack in the logs.
 */
async function partOf<T>(
  source: keyof typeof SCOPE_OF,
  read: () => Promise<{ items: T[]; whole: boolean }>,
  request: FastifyRequest,
): Promise<Part<T>> {
  if (request.caller?.scopes?.includes(SCOPE_OF[source]) === false)
    return { items: [], incomplete: [source] };
  const found = await unlessSilent(read(), request, 'timeline without the items of a source', { source });
  return { items: found?.items ?? [], incomplete: found?.whole ? [] : [source] };
}

function listEntries(ledger: Options['ledger'], paymentId: string, settings: CallSettings) {
  return readAll(async (pageToken) => {
    const filters = {
      paymentId,
      accountId: '',
      layer: Layer.UNSPECIFIED,
      direction: Direction.UNSPECIFIED,
      currency: '',
      createdAfter: undefined,
      createdBefore: undefined,
    };
    const page = await ledger.listEntries({ ...filters, pageSize: PAGE_SIZE, pageToken }, settings);
    return { items: page.entries, nextPageToken: page.nextPageToken };
  });
}

function listNotifications(notification: Options['notification'], paymentId: string, settings: CallSettings) {
  return readAll(async (pageToken) => {
    const message = { paymentId, accountId: '', pageSize: PAGE_SIZE, pageToken };
    const page = await notification.listNotifications(message, settings);
    return { items: page.notifications, nextPageToken: page.nextPageToken };
  });
}

async function readAll<T>(
  readPage: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
): Promise<{ items: T[]; whole: boolean }> {
  const items: T[] = [];
  let pageToken = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { items: more, nextPageToken } = await readPage(pageToken);
    items.push(...more);
    if (nextPageToken === '') return { items, whole: true };
    pageToken = nextPageToken;
  }
  return { items, whole: false };
}
