/** NotificationService: decode, act, encode. */
import { type BoundService, bindService, type ErrorTable, requireCaller } from '@payflowx/chassis';
import { NotificationServiceService } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { listAccountFigures } from '../app/list-account-figures.ts';
import { listNotifications } from '../app/list-notifications.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import { toNotification } from './convert.ts';

/** This service only reads: what can go wrong with it can go wrong with any call, and the chassis knows that. */
const errors: ErrorTable = { domain: 'notification', codeOf: () => undefined };

export interface NotificationDeps {
  db: Kysely<Database>;
  /** Connections of their own for what reads every notification there is, so that nobody waits for one behind it. */
  figuresDb: Kysely<Database>;
}

export function notificationService(deps: NotificationDeps): BoundService {
  return bindService(NotificationServiceService, {
    access,
    errors,
    // As long as payment's may take, for a reconciliation waits for both.
    longestMs: { listAccountFigures: 150_000 },
    handlers: {
      async listNotifications(request, call) {
        const { rows, nextPageToken } = await listNotifications(deps, {
          ...request,
          caller: requireCaller(call),
        });
        return { notifications: rows.map(toNotification), nextPageToken };
      },
      listAccountFigures: (request) => listAccountFigures({ db: deps.figuresDb }, request),
    },
  });
}
