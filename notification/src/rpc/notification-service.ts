/** NotificationService: each handler decodes, calls the use case, and encodes. */
import { type BoundService, bindService, type ErrorTable, requireCaller } from '@payflowx/chassis';
import { NotificationServiceService } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { listAccountFigures } from '../app/list-account-figures.ts';
import { listNotifications } from '../app/list-notifications.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import { toNotification } from './convert.ts';

/** This service only reads. It has no errors of its own; the chassis handles the errors of any call. */
const errors: ErrorTable = { domain: 'notification', codeOf: () => undefined };

export interface NotificationDeps {
  db: Kysely<Database>;
  /** Separate connections for statements that read all notifications, so that no request on the request path waits for them. */
  figuresDb: Kysely<Database>;
}

export function notificationService(deps: NotificationDeps): BoundService {
  return bindService(NotificationServiceService, {
    access,
    errors,
    // The same as payment's limit, because a reconciliation waits for both.
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
