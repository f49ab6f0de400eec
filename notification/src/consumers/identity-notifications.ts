/** Decodes the messages of the queue identity-notifications: each is an IdentityEvent of auth. */
import type { EventMessage } from '@payflowx/chassis';
import { IdentityEvent, SecurityChange as SecurityChangeMessage } from '@payflowx/proto/auth';
import type { IdentityFact } from '../app/record-identity-facts.ts';
import type { SecurityChange } from '../domain/mail-content.ts';

const CHANGES: Record<SecurityChangeMessage, SecurityChange | undefined> = {
  [SecurityChangeMessage.UNSPECIFIED]: undefined,
  [SecurityChangeMessage.PASSWORD_CHANGED]: 'password_changed',
  [SecurityChangeMessage.PASSWORD_RESET]: 'password_reset',
  [SecurityChangeMessage.SECOND_FACTOR_ADDED]: 'second_factor_added',
  [SecurityChangeMessage.SECOND_FACTOR_REMOVED]: 'second_factor_removed',
  [SecurityChangeMessage.API_CLIENT_CREATED]: 'api_client_created',
  [SecurityChangeMessage.ADDRESS_CHANGED]: 'address_changed',
};

/** Throws if the message is no event of auth. The message then becomes a dead letter with that reason. */
export function decodeIdentityFact({ payload }: Pick<EventMessage, 'payload'>): IdentityFact {
  const { id: eventId, occurredAt, userId, event } = IdentityEvent.decode(payload);
  if (!eventId || !occurredAt || !userId || !event) throw new Error('no event id, time, user or event in it');
  const about = { eventId, occurredAt, userId };
  switch (event.$case) {
    case 'contactChanged': {
      const { email, emailVerified, language, version } = event.value;
      return { ...about, kind: 'contact', email, isConfirmed: emailVerified, language, version };
    }
    case 'securityChanged': {
      const change = CHANGES[event.value.change];
      if (!change) throw new Error(`unknown security change ${event.value.change}`);
      const { subjectName, email } = event.value;
      return { ...about, kind: 'security', change, subjectName, email };
    }
    case 'emailConfirmationRequested':
      return { ...about, kind: 'confirmation', confirmationId: event.value.confirmationId };
  }
}
