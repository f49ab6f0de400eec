/** The part of the demo's story about mails. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { INBOX, mailWith, tokenIn } from './inbox.ts';
import { type Account, eventually, type People, type Session } from './platform.ts';
import { chapter, fact, money } from './print.ts';
import { type Body, expectStatus } from './rest.ts';

/** Bob gets a new address each time, so that each run shows its confirmation. */
export async function mail(people: People, accounts: { from: Account; to: Account }): Promise<void> {
  chapter('Bob confirms his mail address, is paid and gets a mail; then he turns mails off');
  if (INBOX === undefined) return fact('not shown', 'the mails go to the server of SMTP_URL');
  const { bob, operator } = people;
  const address = `bob.${randomUUID().slice(0, 8)}@payflowx.example`;
  await choose(bob, true);
  await setAddress(operator, bob.user.id, address);
  const link = await mailWith(address, '#token=');
  fact('link', `${address}  "${link.subject}"`);
  const confirmed = await bob.post('/v1/email-confirmations', { token: tokenIn(link) }, { key: null });
  expectStatus(confirmed, 204);

  const paid = await payment(people, accounts, 100);
  const received = await mailWith(address, paid);
  fact('received', `"${received.subject}"  ${received.headers['message-id']}`);
  for (const line of received.text.trim().split('\n').slice(2)) fact('', line);

  await choose(bob, false);
  const quiet = await payment(people, accounts, 100);
  await eventually(async () => {
    const { data } = expectStatus(await bob.get(`/v1/notifications?payment_id=${quiet}`), 200);
    assert.equal(data.length, 1);
  });
  const { data: mails } = expectStatus(await operator.get(`/v1/mails?user_id=${bob.user.id}`), 200);
  assert.ok(!mails.some((each: Body) => each.payment_id === quiet));
  fact('turned off', `another ${money(100)}: a notification, no mail`);
  fact('all mails', INBOX);
}

async function choose(bob: Session, mail: boolean): Promise<void> {
  const body = { channels: { inbox: true, mail }, language: 'en' };
  expectStatus(await bob.send('PUT', '/v1/notification-preferences', body), 200);
}

async function setAddress(operator: Session, userId: string, email: string): Promise<void> {
  const { version } = expectStatus(await operator.get(`/v1/users/${userId}`), 200);
  const headers = { 'if-match': `"${version}"` };
  expectStatus(await operator.send('PATCH', `/v1/users/${userId}`, { email }, { headers }), 200);
}

/** Returns the id of the payment. */
async function payment({ alice }: People, { from, to }: { from: Account; to: Account }, amount: number) {
  const body = { from_account: from.id, to_account: to.id, amount, currency: 'EUR', description: 'Coffee' };
  return (await alice.api.post('/v1/payments', { body })).data.id;
}
