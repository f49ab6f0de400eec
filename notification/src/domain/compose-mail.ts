/** Composes the mails from their stored content. Pure: time zone and link are given. */

import type { Language } from '@payflowx/proto/vocabulary';
import { foreignText } from './foreign-text.ts';
import type {
  ConfirmationContent,
  EndpointContent,
  PaymentContent,
  SecurityContent,
} from './mail-content.ts';
import { type RenderedMail, renderLetter } from './mail-letter.ts';
import { PHRASES } from './mail-phrases.ts';

/** `timeZone` is that of the account: its days are the days of the account's limits. */
export function composePaymentMail(content: PaymentContent, timeZone: string): RenderedMail {
  const { labels, foreignDescription, reasons } = PHRASES[content.language];
  const { side, isForeignText = side === 'receiver' } = content;
  const descriptionLabel = isForeignText ? foreignDescription[side] : labels.description;
  return renderLetter({
    language: content.language,
    subject: content.title,
    paragraphs: [content.body],
    facts: given([
      [labels.time, formatTime(content.occurredAt, content.language, timeZone)],
      [labels.payment, content.paymentId],
      [labels.account, content.accountId],
      [descriptionLabel, foreignText(content.description)],
      [labels.reference, foreignText(content.reference)],
    ]),
    reason: reasons.payment,
  });
}

/** A change of the account belongs to no account of money, so its time is in UTC. */
export function composeSecurityMail(content: SecurityContent): RenderedMail {
  const { labels, reasons, security, notYou } = PHRASES[content.language];
  const { title, body } = security[content.change];
  return renderLetter({
    language: content.language,
    subject: title,
    paragraphs: [body, notYou],
    facts: given([
      [labels.time, formatTime(content.occurredAt, content.language, 'UTC')],
      [labels.name, foreignText(content.subjectName)],
    ]),
    reason: reasons.security,
  });
}

/** Like a change of the account, it belongs to no account of money. */
export function composeEndpointMail(content: EndpointContent): RenderedMail {
  const { labels, reasons, endpointDisabled } = PHRASES[content.language];
  const { title, causes, next } = endpointDisabled;
  return renderLetter({
    language: content.language,
    subject: title,
    paragraphs: [causes[content.reason], next],
    facts: given([
      [labels.time, formatTime(content.occurredAt, content.language, 'UTC')],
      [labels.endpoint, content.endpointId],
      [labels.address, foreignText(content.url)],
      [labels.description, foreignText(content.description)],
    ]),
    reason: reasons.endpoint,
  });
}

export function composeConfirmationMail({ language }: ConfirmationContent, url: string): RenderedMail {
  const { confirmation, reasons } = PHRASES[language];
  return renderLetter({
    language,
    subject: confirmation.title,
    paragraphs: [confirmation.body, confirmation.ignore],
    facts: [],
    link: { label: confirmation.button, url },
    reason: reasons.confirmation,
  });
}

function given(facts: [string, string][]): [string, string][] {
  return facts.filter(([, value]) => value !== '');
}

const LOCALES: Record<Language, string> = { en: 'en-GB', de: 'de-DE' };

/** With the name of the time zone, so that the time is clear to every reader. */
function formatTime(time: string, language: Language, timeZone: string): string {
  const format = new Intl.DateTimeFormat(LOCALES[language], {
    dateStyle: 'long',
    timeStyle: 'long',
    timeZone,
  });
  return format.format(new Date(time));
}
