/** NotificationService: decode, act, encode. */
import { type BoundService, bindService, type ErrorTable, requireCaller } from '@payflowx/chassis';
import { NotificationServiceService } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { listNotifications } from '../app/list-notifications.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import { toNotification } from './convert.ts';

/** This service only reads: what can go wrong with it can go wrong with any call, and the chassis knows that. */
const errors: ErrorTable = { domain: 'notification', codeOf: () => undefined };

export function notificationService(deps: { db: Kysely<Database> }): BoundService {
  return bindService(NotificationServiceService, {
    access,
    errors,
    handlers: {
      async listNotifications(request, call) {
        const { rows, nextPageToken } = await listNotifications(deps, {
          ...request,
          caller: requireCaller(call),
        });
        return { notifications: rows.map(toNotification), nextPageToken };
      },
    },
  });
}
