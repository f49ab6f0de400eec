/** Everything that happened to one payment, from every service that has records of it. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { status as grpc } from '@grpc/grpc-js';
import { type CallSettings, NeighbourError } from '@payflowx/chassis';
import { Direction, Layer } from '@payflowx/proto/ledger';
import type { FastifyBaseLogger } from 'fastify';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import { mergeTimeline } from '../answers/timeline.ts';
import type { Neighbours } from '../clients/neighbours.ts';
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
        partOf('ledger', listEntries(ledger, paymentId, settings), request.log),
        partOf('notification', listNotifications(notification, paymentId, settings), request.log),
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

/**
 * Returns the items of one source. Returns none, and marks the source as incomplete, if it does not answer or does not answer
 * this caller.
 */
async function partOf<T>(
  source: Source,
  request: Promise<{ items: T[]; whole: boolean }>,
  log: FastifyBaseLogger,
): Promise<Part<T>> {
  try {
    const { items, whole } = await request;
    return { items, incomplete: whole ? [] : [source] };
  } catch (error) {
    if (!(error instanceof NeighbourError) || !TOLERATED_CODES.has(error.code)) throw error;
    log.warn({ err: error, source }, 'timeline without the items of a source');
    return { items: [], incomplete: [source] };
  }
}

/**
 * The source is unavailable, silent, overloaded, or outside the token's scopes. Any other error is a fault and fails the request.
 */
const TOLERATED_CODES = new Set<grpc>([
  grpc.UNAVAILABLE,
  grpc.DEADLINE_EXCEEDED,
  grpc.RESOURCE_EXHAUSTED,
  grpc.PERMISSION_DENIED,
]);

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
