import { LANGUAGES } from '@payflowx/proto/vocabulary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  composeConfirmationMail,
  composeEndpointMail,
  composePaymentMail,
  composeSecurityMail,
} from './compose-mail.ts';
import { foreignText } from './foreign-text.ts';
import { type PaymentContent, SECURITY_CHANGES } from './mail-content.ts';

/** Any character, most of them strange. `unit: 'binary'` draws the same, but takes two seconds to begin. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

const content: PaymentContent = {
  kind: 'payment',
  language: 'en',
  eventType: 'payment.completed',
  side: 'receiver',
  title: 'Payment received',
  body: 'You received €12.50.',
  paymentId: 'pay_1',
  accountId: 'acct_1',
  occurredAt: '2026-07-01T22:30:00.000Z',
  description: 'Rent',
  reference: '',
};

describe('the mail about a payment', () => {
  it('has the same content as text and as HTML, with the time in the time zone of the account', () => {
    const mail = composePaymentMail(content, 'Europe/Berlin');
    expect(mail.subject).toBe('Payment received');
    for (const text of [mail.text, mail.html]) {
      expect(text).toContain('You received €12.50.');
      expect(text).toContain('2 July 2026 at 00:30:00 CEST');
      expect(text).toContain('pay_1');
      expect(text).toContain('Text of the payer');
    }
  });

  it('names things and dates in the language of its reader', () => {
    const { text, html } = composePaymentMail({ ...content, language: 'de' }, 'Asia/Tokyo');
    expect(text).toContain('2. Juli 2026 um 07:30:00 GMT+9');
    expect(text).toContain('Text des Zahlers: Rent');
    expect(html).toContain('<html lang="de">');
  });

  it('has no line for a text that is not there', () => {
    expect(composePaymentMail({ ...content, description: '' }, 'UTC').text).not.toContain(
      'Text of the payer',
    );
  });
});

/** Texts that a payer might send to a receiver. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</bdi></td></table><h1>Your account is locked</h1>',
  '&lt;b&gt;',
  'Rent\r\nBcc: eve@example.org\r\n\r\nNew body',
  'Rent\u2028-- \u2029Security notice: log in again',
  'invoice \u202Efdp.exe\u202C \u2066\u2069 \u200B\u200F',
  'x'.repeat(5_000),
  '👩‍👩‍👧'.repeat(200),
  '\u0000\u001b[31mred\u0007',
];

describe('text of a user in a mail', () => {
  it.each(HOSTILE)('stays text, on one line: %j', (hostile) => {
    const plain = composePaymentMail(content, 'UTC');
    const mail = composePaymentMail({ ...content, description: hostile }, 'UTC');
    expect(mail.subject).toBe(plain.subject);
    // No tag, and no line, more than the mail with a harmless text has.
    expect(tagsOf(mail.html)).toEqual(tagsOf(plain.html));
    expect(mail.text.split('\n')).toHaveLength(plain.text.split('\n').length);
    expect(mail.text).not.toMatch(/[^\P{C}\n]/u);
    expect(mail.html).not.toMatch(/[^\P{C}\n]/u);
  });

  it('can be anything', () => {
    const tags = tagsOf(composePaymentMail(content, 'UTC').html);
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 1 }), (text) => {
        const line = foreignText(text);
        expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(Array.from(line).length).toBeLessThanOrEqual(140);
        const { html } = composePaymentMail({ ...content, description: `x${text}` }, 'UTC');
        expect(tagsOf(html)).toEqual(tags);
      }),
    );
  });

  it('is escaped in the name of an API client, too', () => {
    const about = { kind: 'security', language: 'en', change: 'api_client_created' } as const;
    const of = (subjectName: string) =>
      composeSecurityMail({ ...about, subjectName, occurredAt: content.occurredAt });
    for (const hostile of HOSTILE) expect(tagsOf(of(hostile).html)).toEqual(tagsOf(of('x').html));
  });
});

it('is escaped in the description of a webhook endpoint, too', () => {
  const content = {
    kind: 'webhook_endpoint',
    language: 'en',
    reason: 'failing',
    endpointId: 'whe_1',
    url: 'https://shop.example/hook',
    occurredAt: '2026-07-01T22:30:00.000Z',
  } as const;
  const of = (description: string) => composeEndpointMail({ ...content, description });
  for (const hostile of HOSTILE) expect(tagsOf(of(hostile).html)).toEqual(tagsOf(of('x').html));
});

it('every security mail exists in every language, and says that it cannot be turned off', () => {
  const mails = LANGUAGES.flatMap((language) =>
    SECURITY_CHANGES.map((change) =>
      composeSecurityMail({
        ...{ kind: 'security', language, change, subjectName: '' },
        occurredAt: content.occurredAt,
      }),
    ),
  );
  expect(new Set(mails.map(({ subject }) => subject)).size).toBe(mails.length);
  for (const { text } of mails) expect(text).toMatch(/cannot be turned off|kann nicht abgeschaltet werden/);
});

it.each(LANGUAGES)('the confirmation mail in %s has the link in both forms', (language) => {
  const url = 'https://pay.example/confirm-email#token=a-b_c';
  const { text, html } = composeConfirmationMail(
    { kind: 'confirmation', language, confirmationId: 'ecf_1' },
    url,
  );
  expect(text).toContain(`\n${url}\n`);
  expect(html).toContain(`<a href="${url}"`);
});

function tagsOf(html: string): string[] {
  return [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
}
