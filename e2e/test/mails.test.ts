/** Addresses and mails, from the change of an address to the mail in the inbox, through all services and a real mail server. */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { mailsTo, mailWith, tokenIn } from '../src/inbox.ts';
import {
  type Account,
  type Demo,
  eventually,
  openAccount,
  people,
  readDemo,
  type Session,
  sessionOf,
} from '../src/platform.ts';
import { startProcess, stopProcess } from '../src/processes.ts';
import { expectStatus } from '../src/rest.ts';

const demo = readDemo();
const { operator, alice } = people(demo);
let carol: Session;
let from: Account;
let to: Account;
const address = `carol.${randomUUID()}@example.org`;

beforeAll(async () => {
  const user = { username: `carol-${randomUUID()}`, password: randomUUID(), roles: ['customer'] };
  const { id } = expectStatus(await operator.post('/v1/users', user), 201);
  const withCarol: Demo = { ...demo, users: [...demo.users, { ...user, id }] };
  carol = sessionOf(withCarol, user.username);
  from = await openAccount(operator, alice.user, 10_000);
  to = await openAccount(operator, carol.user, 0);
});

async function setContact(changes: object): Promise<void> {
  const { version } = expectStatus(await operator.get(`/v1/users/${carol.user.id}`), 200);
  const headers = { 'if-match': `"${version}"` };
  expectStatus(await operator.send('PATCH', `/v1/users/${carol.user.id}`, changes, { headers }), 200);
}

async function pay(): Promise<string> {
  const body = { from_account: from.id, to_account: to.id, amount: 1_250, currency: 'EUR' };
  return (await alice.api.post('/v1/payments', { body })).data.id;
}

const confirm = (token: string) => carol.post('/v1/email-confirmations', { token }, { key: null });

it('a user gets mails after the confirmation of the address, in her language', async () => {
  await setContact({ email: address, language: 'de' });
  const early = await pay();
  const link = await mailWith(address, '#token=');
  expect(link.subject).toBe('Bestätigen Sie Ihre Mailadresse');
  expectStatus(await confirm('unknown'), 422);
  expectStatus(await confirm(tokenIn(link)), 204);
  expect((await confirm(tokenIn(link))).body.code).toBe('INVALID_CONFIRMATION_TOKEN');
  const paid = await pay();
  const mail = await mailWith(address, paid);
  expect(mail.subject).toBe('Zahlung erhalten');
  expect(mail.text).toMatch(/Sie haben 12,50\s€ erhalten\./);
  // Payments from before the confirmation are not made up for.
  expect((await mailsTo(address)).map(({ text }) => text.includes(early))).not.toContain(true);
});

it('a payment made while the mail server is stopped is mailed after its restart', async () => {
  await stopProcess('mail');
  const paid = await pay();
  const waiting = await eventually(async () => {
    const { data } = expectStatus(await operator.get(`/v1/mails?user_id=${carol.user.id}&limit=1`), 200);
    expect(data[0]).toMatchObject({ payment_id: paid, state: 'pending', attempts: 1 });
    return data[0];
  });
  await startProcess('mail');
  const mail = await mailWith(address, paid);
  expect(mail.headers['message-id']).toBe(waiting.message_id);
});

it('the former address gets a mail about a change, and the new one gets nothing until it is confirmed', async () => {
  const next = `next.${address}`;
  await setContact({ email: next });
  await mailWith(address, 'Ihre Mailadresse wurde geändert');
  await mailWith(next, '#token=');
  const paid = await pay();
  await eventually(async () => {
    const { data } = expectStatus(await carol.get(`/v1/notifications?payment_id=${paid}`), 200);
    expect(data).toHaveLength(1);
  });
  expect(await mailsTo(next)).toHaveLength(1);
});
