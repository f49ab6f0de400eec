/** NotificationService: each handler decodes, calls the use case, and encodes. */
import { type BoundService, bindService, requireCaller } from '@payflowx/chassis';
import { NotificationServiceService, RecordKind } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { type AllMissing, countMissingRecords, type MissingDeps } from '../app/count-missing-records.ts';
import { listAccountFigures } from '../app/list-account-figures.ts';
import type { FollowDeps } from '../app/list-events.ts';
import { listNotifications } from '../app/list-notifications.ts';
import type { DeliveryDeps } from '../app/manage-deliveries.ts';
import type { EndpointDeps } from '../app/manage-endpoints.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import { toNotification } from './convert.ts';
import { errors } from './errors.ts';
import { eventHandlers } from './event-handlers.ts';
import { deliveryHandlers, endpointHandlers } from './webhook-handlers.ts';

export interface NotificationDeps extends EndpointDeps, DeliveryDeps, FollowDeps {
  /** Separate connections for statements that read all notifications, so that no request on the request path waits for them. */
  figuresDb: Kysely<Database>;
  retention: Pick<MissingDeps, 'eventRetentionMs' | 'mailRetentionMs'>;
}

export function notificationService(deps: NotificationDeps): BoundService {
  return bindService(NotificationServiceService, {
    access,
    errors,
    longestMs: {
      // The same as payment's limit, because a reconciliation waits for both.
      listAccountFigures: 150_000,
      countMissingRecords: 150_000,
      // It waits for events.
      followEvents: 25_000,
    },
    handlers: {
      async listNotifications(request, call) {
        const { rows, nextPageToken } = await listNotifications(deps, {
          ...request,
          caller: requireCaller(call),
        });
        return { notifications: rows.map(toNotification), nextPageToken };
      },
      ...eventHandlers(deps),
      ...endpointHandlers(deps),
      ...deliveryHandlers(deps),
      listAccountFigures: (request) => listAccountFigures({ db: deps.figuresDb }, request),
      async countMissingRecords() {
        const { figuresDb: db, retention } = deps;
        return toMissingMessage(await countMissingRecords({ db, ...retention, now: () => new Date() }));
      },
    },
  });
}

function toMissingMessage({ events, deliveries, mails, examinedFrom }: AllMissing) {
  const kinds = [
    { kind: RecordKind.EVENT, of: events },
    { kind: RecordKind.DELIVERY, of: deliveries },
    { kind: RecordKind.MAIL, of: mails },
  ];
  return {
    missing: kinds.flatMap(({ kind, of }) => of.listed.map((line) => ({ ...line, kind }))),
    pairCount: kinds.reduce((sum, { of }) => sum + of.accountCount, 0n),
    examinedFrom,
  };
}
