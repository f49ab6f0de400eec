/** Messages between services as operators see them in a dead letter. Amounts are bigint. */
import {
  IdentityEvent,
  type IdentityEvent as IdentityEventMessage,
  SecurityChange,
} from '../gen/payflowx/auth/v1/identity_event.ts';
import { MovementKind } from '../gen/payflowx/authorization/v1/authorization.ts';
import { PaymentEvent, PaymentEventType } from '../gen/payflowx/payment/v1/payment_event.ts';
import { paymentJson, refundJson } from './payment-json.ts';

/** Throws if the payload is no event of a payment. */
export function paymentEventJson(payload: Uint8Array): object {
  const event = PaymentEvent.decode(payload);
  if (!event.id || !event.payment) throw new Error('There is no event id or payment in it.');
  return {
    id: event.id,
    type: `payment.${nameOf(PaymentEventType, event.type)}`,
    occurred_at: event.occurredAt?.toISOString() ?? null,
    payment: paymentJson(event.payment),
    movements: event.movements.map(({ kind, fromAccount, toAccount, amountMinor }) => ({
      ...{ kind: nameOf(MovementKind, kind), from_account: fromAccount, to_account: toAccount },
      amount: amountMinor,
    })),
    ...(event.refund && { refund: refundJson(event.refund) }),
  };
}

/** Throws if the payload is no event of auth. */
export function identityEventJson(payload: Uint8Array): object {
  const { id, userId, occurredAt, event } = IdentityEvent.decode(payload);
  if (!id || !event) throw new Error('There is no event id or event in it.');
  return { id, user_id: userId, occurred_at: occurredAt?.toISOString() ?? null, ...factJson(event) };
}

function factJson(event: NonNullable<IdentityEventMessage['event']>): object {
  switch (event.$case) {
    case 'contactChanged': {
      const { email, emailVerified, language } = event.value;
      return { type: 'identity.contact_changed', email, email_verified: emailVerified, language };
    }
    case 'securityChanged': {
      const { change, subjectName, email } = event.value;
      const kind = nameOf(SecurityChange, change);
      return { type: 'identity.security_changed', change: kind, subject_name: subjectName, email };
    }
    case 'emailConfirmationRequested':
      return { type: 'identity.email_confirmation_requested', confirmation_id: event.value.confirmationId };
  }
}

function nameOf(names: Record<string, number | string>, number: number): string {
  const found = Object.entries(names).find(([, value]) => value === number);
  return found ? found[0].toLowerCase() : String(number);
}
