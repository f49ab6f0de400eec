/** Addresses and mails, from the change of an address to the mail in the inbox, through all services and a real mail server. */
import { beforeAll, expect, it } from 'vitest';
import { mailsTo, mailWith, tokenIn } from '../src/inbox.ts';
import { createMailedUser, type MailedUser } from '../src/mailed-user.ts';
import { eventually } from '../src/platform.ts';
import { expectStatus } from '../src/rest.ts';

let carol: MailedUser;
beforeAll(async () => {
  carol = await createMailedUser('carol');
});

it('a user gets mails after the confirmation of the address, in her language', async () => {
  const { address } = carol;
  await carol.setContact({ email: address, language: 'de' });
  const early = await carol.getPaid();
  const link = await mailWith(address, '#token=');
  expect(link.subject).toBe('Bestätigen Sie Ihre Mailadresse');
  expectStatus(await carol.confirm('unknown'), 422);
  expectStatus(await carol.confirm(tokenIn(link)), 204);
  expect((await carol.confirm(tokenIn(link))).body.code).toBe('INVALID_CONFIRMATION_TOKEN');
  const paid = await carol.getPaid();
  const mail = await mailWith(address, paid);
  expect(mail.subject).toBe('Zahlung erhalten');
  expect(mail.text).toMatch(/Sie haben 12,50\s€ erhalten\./);
  // Payments from before the confirmation are not made up for.
  expect((await mailsTo(address)).map(({ text }) => text.includes(early))).not.toContain(true);
});

it('the former address gets a mail about a change, and the new one gets nothing until it is confirmed', async () => {
  const { address } = carol;
  const next = `next.${address}`;
  await carol.setContact({ email: next });
  await mailWith(address, 'Ihre Mailadresse wurde geändert');
  await mailWith(next, '#token=');
  const paid = await carol.getPaid();
  await eventually(async () => {
    const { data } = expectStatus(await carol.session.get(`/v1/notifications?payment_id=${paid}`), 200);
    expect(data).toHaveLength(1);
  });
  expect(await mailsTo(next)).toHaveLength(1);
});
