/** A customer with a mail address, who is paid by alice. */
import { randomUUID } from 'node:crypto';
import { mailWith, tokenIn } from './inbox.ts';
import { type Demo, openAccount, people, readDemo, type Session, sessionOf } from './platform.ts';
import { expectStatus } from './rest.ts';

export interface MailedUser {
  session: Session;
  /** Unique. It is confirmed only by `confirm`. */
  address: string;
  /** As an operator. */
  setContact(changes: object): Promise<void>;
  confirm(token: string): ReturnType<Session['post']>;
  /** Alice pays this user. Returns the payment's id. */
  getPaid(): Promise<string>;
}

export async function createMailedUser(name: string): Promise<MailedUser> {
  const demo = readDemo();
  const { operator, alice } = people(demo);
  const user = { username: `${name}-${randomUUID()}`, password: randomUUID(), roles: ['customer'] };
  const { id } = expectStatus(await operator.post('/v1/users', user), 201);
  const withUser: Demo = { ...demo, users: [...demo.users, { ...user, id }] };
  const session = sessionOf(withUser, user.username);
  const from = await openAccount(operator, alice.user, 10_000);
  const to = await openAccount(operator, session.user, 0);
  return {
    session,
    address: `${name}.${randomUUID()}@example.org`,
    async setContact(changes) {
      const { version } = expectStatus(await operator.get(`/v1/users/${id}`), 200);
      const headers = { 'if-match': `"${version}"` };
      expectStatus(await operator.send('PATCH', `/v1/users/${id}`, changes, { headers }), 200);
    },
    confirm: (token) => session.post('/v1/email-confirmations', { token }, { key: null }),
    async getPaid() {
      const body = { from_account: from.id, to_account: to.id, amount: 1_250, currency: 'EUR' };
      return (await alice.api.post('/v1/payments', { body })).data.id;
    },
  };
}

/** Sets the address and confirms it by the link in the mail. */
export async function confirmAddress({ address, setContact, confirm }: MailedUser): Promise<void> {
  await setContact({ email: address });
  expectStatus(await confirm(tokenIn(await mailWith(address, '#token='))), 204);
}
