/** Access rules of the RPCs. A customer's list contains only its own notifications. */
import type { AccessTable } from '@payflowx/chassis';
import type { NotificationServiceService } from '@payflowx/proto/notification';

export const access: AccessTable<typeof NotificationServiceService> = {
  listNotifications: { roles: ['customer', 'operator', 'auditor'], scope: 'notifications:read' },
  // For reconciliation.
  listAccountFigures: ['service'],
};
