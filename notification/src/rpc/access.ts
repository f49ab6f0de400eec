/** Who may call what. A customer's list holds only its own notifications. */
import type { AccessTable } from '@payflowx/chassis';
import type { NotificationServiceService } from '@payflowx/proto/notification';

export const access: AccessTable<typeof NotificationServiceService> = {
  listNotifications: { roles: ['customer', 'operator', 'auditor'], scope: 'notifications:read' },
  // What a reconciliation reads.
  listAccountFigures: ['service'],
};
