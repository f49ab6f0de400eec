/** The texts of mails beyond those of notices, by language. */
import type { Language } from '@payflowx/proto/vocabulary';
import type { EndpointContent, SecurityChange } from './mail-content.ts';
import type { Text } from './wordings.ts';

interface Phrases {
  labels: Record<
    'payment' | 'account' | 'time' | 'description' | 'reference' | 'name' | 'endpoint' | 'address',
    string
  >;
  /** A text of the other side is marked as such for its reader: anyone can write anything there. */
  foreignDescription: Record<'sender' | 'receiver', string>;
  reasons: Record<'payment' | 'security' | 'confirmation' | 'endpoint', string>;
  security: Record<SecurityChange, Text>;
  /** Follows the text of a security mail. */
  notYou: string;
  confirmation: Text & { button: string; ignore: string };
  endpointDisabled: { title: string; causes: Record<EndpointContent['reason'], string>; next: string };
}

const ENGLISH: Phrases = {
  labels: {
    payment: 'Payment',
    account: 'Account',
    time: 'Time',
    description: 'Description',
    reference: 'Your reference',
    name: 'Name',
    endpoint: 'Webhook endpoint',
    address: 'Address',
  },
  foreignDescription: { sender: 'Text of the payee', receiver: 'Text of the payer' },
  reasons: {
    payment:
      'You get this mail because your notification preferences include it. You can change them at any time.',
    security: 'This mail is about the security of your account. It cannot be turned off.',
    confirmation: 'You get this mail because this address was entered for an account.',
    endpoint: 'You get this mail because the webhook endpoint is yours. It cannot be turned off.',
  },
  security: {
    password_changed: {
      title: 'Your password was changed',
      body: 'The password of your account was changed.',
    },
    password_reset: {
      title: 'Your password was reset',
      body: 'An operator reset the password of your account. The old password no longer works.',
    },
    second_factor_added: {
      title: 'A second factor was added',
      body: 'A second factor for logins was added to your account.',
    },
    second_factor_removed: {
      title: 'A second factor was removed',
      body: 'A second factor for logins was removed from your account.',
    },
    api_client_created: {
      title: 'An API client was created',
      body: 'An API client that acts for your account was created.',
    },
    address_changed: {
      title: 'Your mail address was changed',
      body: 'The mail address of your account was changed. This address gets no more mails.',
    },
  },
  notYou: 'If you did not expect this, tell an operator at once.',
  confirmation: {
    title: 'Confirm your mail address',
    body: 'Confirm that this address is yours. Until then, it gets no other mails.',
    button: 'Confirm the address',
    ignore:
      'The link is valid for a limited time and works once. If you did not expect this mail, ignore it.',
  },
  endpointDisabled: {
    title: 'Your webhook endpoint was disabled',
    causes: {
      failing: 'All webhooks to this endpoint have failed for 5 days. It gets no more webhooks.',
      gone: 'This endpoint answered 410 Gone. It gets no more webhooks.',
    },
    next: 'When your server works again, enable the endpoint and start the failed deliveries again. The events of the meantime are in the event log.',
  },
};

const GERMAN: Phrases = {
  labels: {
    payment: 'Zahlung',
    account: 'Konto',
    time: 'Zeit',
    description: 'Beschreibung',
    reference: 'Ihre Referenz',
    name: 'Name',
    endpoint: 'Webhook-Endpunkt',
    address: 'Adresse',
  },
  foreignDescription: { sender: 'Text des Empfängers', receiver: 'Text des Zahlers' },
  reasons: {
    payment:
      'Sie erhalten diese Mail, weil Ihre Einstellungen für Benachrichtigungen sie enthalten. Sie können sie jederzeit ändern.',
    security: 'Diese Mail betrifft die Sicherheit Ihres Kontos. Sie kann nicht abgeschaltet werden.',
    endpoint:
      'Sie erhalten diese Mail, weil der Webhook-Endpunkt Ihnen gehört. Sie kann nicht abgeschaltet werden.',
    confirmation: 'Sie erhalten diese Mail, weil diese Adresse für ein Konto eingetragen wurde.',
  },
  security: {
    password_changed: {
      title: 'Ihr Passwort wurde geändert',
      body: 'Das Passwort Ihres Zugangs wurde geändert.',
    },
    password_reset: {
      title: 'Ihr Passwort wurde zurückgesetzt',
      body: 'Das Passwort Ihres Zugangs wurde zurückgesetzt. Das alte Passwort gilt nicht mehr.',
    },
    second_factor_added: {
      title: 'Ein zweiter Faktor wurde hinzugefügt',
      body: 'Ihrem Zugang wurde ein zweiter Faktor für die Anmeldung hinzugefügt.',
    },
    second_factor_removed: {
      title: 'Ein zweiter Faktor wurde entfernt',
      body: 'Von Ihrem Zugang wurde ein zweiter Faktor für die Anmeldung entfernt.',
    },
    api_client_created: {
      title: 'Ein API-Zugang wurde angelegt',
      body: 'Ein API-Zugang, der für Sie handelt, wurde angelegt.',
    },
    address_changed: {
      title: 'Ihre Mailadresse wurde geändert',
      body: 'Die Mailadresse Ihres Zugangs wurde geändert. Diese Adresse erhält keine weiteren Mails.',
    },
  },
  endpointDisabled: {
    title: 'Ihr Webhook-Endpunkt wurde deaktiviert',
    causes: {
      failing:
        'Seit 5 Tagen sind alle Webhooks an diesen Endpunkt fehlgeschlagen. Er erhält keine weiteren Webhooks.',
      gone: 'Dieser Endpunkt hat mit 410 Gone geantwortet. Er erhält keine weiteren Webhooks.',
    },
    next: 'Wenn Ihr Server wieder arbeitet, aktivieren Sie den Endpunkt und starten Sie die fehlgeschlagenen Zustellungen neu. Die Ereignisse der Zwischenzeit stehen im Ereignisprotokoll.',
  },
  notYou: 'Wenn Sie das nicht erwartet haben, wenden Sie sich sofort an den Betreiber.',
  confirmation: {
    title: 'Bestätigen Sie Ihre Mailadresse',
    body: 'Bestätigen Sie, dass diese Adresse Ihnen gehört. Bis dahin erhält sie keine anderen Mails.',
    button: 'Adresse bestätigen',
    ignore:
      'Der Link gilt begrenzte Zeit und nur einmal. Wenn Sie diese Mail nicht erwartet haben, ignorieren Sie sie.',
  },
};

export const PHRASES: Record<Language, Phrases> = { en: ENGLISH, de: GERMAN };
