/** Access rules of the RPCs. A customer's lists contain only its own. */
import type { AccessTable } from '@payflowx/chassis';
import type {
  MailServiceService,
  NotificationServiceService,
  PreferenceServiceService,
} from '@payflowx/proto/notification';

const EVERY_ROLE = ['customer', 'operator', 'auditor'] as const;
/** Only people manage endpoints: an API client whose secret leaked must not send the events of its user elsewhere. */
const OWNERS = ['customer', 'operator'] as const;

export const access: AccessTable<typeof NotificationServiceService> = {
  listNotifications: { roles: EVERY_ROLE, scope: 'notifications:read' },
  listEvents: { roles: EVERY_ROLE, scope: 'payments:read' },
  getEvent: { roles: EVERY_ROLE, scope: 'payments:read' },
  followEvents: { roles: EVERY_ROLE, scope: 'payments:read' },
  createWebhookEndpoint: OWNERS,
  listWebhookEndpoints: { roles: EVERY_ROLE, scope: 'notifications:read' },
  getWebhookEndpoint: { roles: EVERY_ROLE, scope: 'notifications:read' },
  updateWebhookEndpoint: OWNERS,
  deleteWebhookEndpoint: OWNERS,
  rotateWebhookSecret: OWNERS,
  testWebhookEndpoint: OWNERS,
  redeliverWebhooks: OWNERS,
  listWebhookDeliveries: { roles: EVERY_ROLE, scope: 'notifications:read' },
  getWebhookDelivery: { roles: EVERY_ROLE, scope: 'notifications:read' },
  redeliverWebhook: OWNERS,
  listWebhookAuditRecords: { roles: ['operator', 'auditor'], scope: 'audit:read' },
  // For reconciliation.
  listAccountFigures: { services: ['ledger'] },
  countMissingRecords: { services: ['ledger'] },
};

/** People only: a machine must not turn off the mails of the user that it acts for. */
export const preferenceAccess: AccessTable<typeof PreferenceServiceService> = {
  getNotificationPreferences: ['customer', 'operator', 'auditor', 'admin'],
  replaceNotificationPreferences: ['customer', 'operator', 'auditor', 'admin'],
};

export const mailAccess: AccessTable<typeof MailServiceService> = {
  listMails: ['operator', 'auditor'],
  listMailSuppressions: ['operator', 'auditor'],
  liftMailSuppression: ['operator'],
};
