/** Every text that users read, in one file for each language, so that it can be read and corrected as a whole. */
import { LANGUAGES, type Language } from '@payflowx/proto/vocabulary';
import { expect, it } from 'vitest';
import {
  composeConfirmationMail,
  composeEndpointMail,
  composePaymentMail,
  composeSecurityMail,
} from './compose-mail.ts';
import { NOTIFIED_EVENTS } from './events.ts';
import { SECURITY_CHANGES } from './mail-content.ts';
import type { RenderedMail } from './mail-letter.ts';
import { noticesOf, type PaymentStep } from './notice.ts';
import { STEP } from './payment-step.testing.ts';

/** The decline codes that a payer can get. */
const DECLINES = [
  ...['TO_ACCOUNT_NOT_FOUND', 'FROM_ACCOUNT_NOT_FOUND', 'FROM_ACCOUNT_NOT_ACTIVE', 'TO_ACCOUNT_NOT_ACTIVE'],
  ...['CURRENCY_MISMATCH', 'INSUFFICIENT_BALANCE', 'PER_PAYMENT_LIMIT_EXCEEDED', 'DAILY_LIMIT_EXCEEDED'],
  ...['MONTHLY_LIMIT_EXCEEDED', 'DAILY_COUNT_EXCEEDED', 'RULE_DECLINED'],
];
/** Those of a collection by a mandate, whose payee gets them too. */
const COLLECTION_DECLINES = [
  ...['MANDATE_NOT_ACTIVE', 'MANDATE_LIMIT_EXCEEDED', 'FROM_ACCOUNT_NOT_ACTIVE', 'FROM_ACCOUNT_CLOSED'],
  ...['TO_ACCOUNT_NOT_ACTIVE', 'TO_ACCOUNT_CLOSED', 'INSUFFICIENT_BALANCE', 'RULE_DECLINED'],
];

const STEPS: [string, Partial<PaymentStep>][] = [
  ...NOTIFIED_EVENTS.map((type): [string, Partial<PaymentStep>] => [type, { type }]),
  ['payment.completed, the last part', { capturedMinor: 3000n }],
  ['payment.completed, a rest was released', { freedMinor: 250n }],
  ['payment.completed, all of the rest was released', { movedMinor: 0n, capturedMinor: 3000n }],
  ...DECLINES.map((code): [string, Partial<PaymentStep>] => [
    `payment.failed, ${code}`,
    { type: 'payment.failed', failure: { code, message: `${code} in English.` } },
  ]),
  ...COLLECTION_DECLINES.map((code): [string, Partial<PaymentStep>] => [
    `payment.failed by a mandate, ${code}`,
    { type: 'payment.failed', isCollected: true, failure: { code, message: `${code} in English.` } },
  ]),
];

function notices(language: Language): string[] {
  return STEPS.flatMap(([name, changes]) =>
    noticesOf({ ...STEP, ...changes }, () => language).map(
      ({ side, title, body }) => `${name}, ${side}:\n  ${title}\n  ${body}`,
    ),
  );
}

function mails(language: Language): RenderedMail[] {
  const occurredAt = STEP.occurredAt.toISOString();
  const about = { language, occurredAt, description: 'Rent' };
  const payment = { title: 'Title', body: 'Body', paymentId: 'pay_1', accountId: 'acct_1' };
  const inPayment = { kind: 'payment', eventType: 'payment.completed', ...about, ...payment } as const;
  const endpoint = { endpointId: 'whe_1', url: 'https://shop.example/hook' };
  return [
    composePaymentMail({ ...inPayment, side: 'sender', reference: 'R-1' }, 'Europe/Berlin'),
    composePaymentMail({ ...inPayment, side: 'receiver', reference: '' }, 'Europe/Berlin'),
    composePaymentMail({ ...inPayment, side: 'sender', isForeignText: true, reference: '' }, 'Europe/Berlin'),
    ...SECURITY_CHANGES.map((change) =>
      composeSecurityMail({ kind: 'security', change, subjectName: 'Phone', language, occurredAt }),
    ),
    ...(['gone', 'failing'] as const).map((reason) =>
      composeEndpointMail({ kind: 'webhook_endpoint', reason, ...about, ...endpoint }),
    ),
    composeConfirmationMail(
      { kind: 'confirmation', language, confirmationId: 'ecf_1' },
      'https://pay.example/confirm-email#token=a-b_c',
    ),
  ];
}

it.each(LANGUAGES)('all texts of %s are those of the file', async (language) => {
  const letters = mails(language).map(({ subject, text }) => `Subject: ${subject}\n\n${text}`);
  const text = [...notices(language), ...letters].join('\n----\n');
  await expect(text).toMatchFileSnapshot(`./all-texts.${language}.txt`);
});

it('the HTML of a mail with facts, and of one with a link, is that of the file', async () => {
  const letters = mails('en');
  const html = [letters[0], letters.at(-1)].map((mail) => mail?.html).join('\n----\n');
  await expect(html).toMatchFileSnapshot('./all-texts.html.txt');
});
