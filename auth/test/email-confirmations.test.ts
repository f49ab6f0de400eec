import { status } from '@grpc/grpc-js';
import { unpackParcel } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { IdentityEvent, SecurityChange, type User } from '@payflowx/proto/auth';
import { sql } from 'kysely';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureUser } from '../src/app/ensure-identities.ts';
import { createPasswordHasher } from '../src/app/password-hasher.ts';
import { LINK_LIFETIME_MS, LINKS_PER_HOUR } from '../src/domain/email-confirmation.ts';
import { deleteExpiredConfirmations } from '../src/store/email-confirmations.ts';
import {
  type AuthWithUsers,
  asOwner,
  NO_CHANGE,
  newUserRequest,
  PASSWORD,
  refusal,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;
let tokens: Awaited<ReturnType<typeof tokensOf>>;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  tokens = await tokensOf(auth);
});
afterAll(() => auth?.stop());

let made = 0;
async function newUser(): Promise<User> {
  made += 1;
  const wanted = newUserRequest({ username: `reached-${made}` });
  return known(await auth.client.createUser(wanted, { deadlineMs, accessToken: tokens.admin }));
}

async function update({ id }: User, changes: { email?: string; language?: string }): Promise<User> {
  const { version } = await get(id);
  const request = {
    userId: id,
    expectedVersion: version,
    ...NO_CHANGE,
  };
  return known(
    await auth.client.updateUser({ ...request, ...changes }, { deadlineMs, accessToken: tokens.admin }),
  );
}

const get = async (userId: string) =>
  known(await auth.client.getUser({ userId }, { deadlineMs, accessToken: tokens.operator }));

function known({ user }: { user?: User | undefined }): User {
  if (!user) throw new Error('The response has no user.');
  return user;
}

/** The events about a user, the oldest first. No relay runs here, so it stays in the outbox. */
async function announced({ id }: User): Promise<IdentityEvent[]> {
  const { rows } = await sql<{ events: Buffer }>`
    select events from outbox where destination = 'identity-notifications' order by id`.execute(auth.db);
  return rows
    .flatMap((row) => unpackParcel({ bytes: row.events }))
    .map(({ payload }) => IdentityEvent.decode(payload))
    .filter(({ userId }) => userId === id);
}

const eventsOf = async (user: User) => (await announced(user)).map(({ event }) => event);

/** The links of a user that were requested so far. */
async function confirmationIds(user: User): Promise<string[]> {
  const events = await eventsOf(user);
  return events.flatMap((event) =>
    event?.$case === 'emailConfirmationRequested' ? [event.value.confirmationId] : [],
  );
}

const linkOf = (confirmationId: string) =>
  auth.notification.getEmailConfirmation({ confirmationId }, { deadlineMs });

async function tokenFor(user: User): Promise<string> {
  const id = (await confirmationIds(user)).at(-1) ?? '';
  return (await linkOf(id)).token;
}

const confirm = (token: string) => auth.client.confirmEmail({ token }, { deadlineMs });
const INVALID = { code: status.FAILED_PRECONDITION, reason: 'INVALID_CONFIRMATION_TOKEN' };

async function asUser({ username }: User) {
  const { tokens: pair } = await auth.client.login({ username, password: PASSWORD }, { deadlineMs });
  return { deadlineMs, accessToken: pair?.accessToken };
}

describe('a new address', () => {
  it('is announced unconfirmed with a request for a link, and confirmed by the token of the link, once', async () => {
    const user = await newUser();
    await update(user, { email: 'a@example.org', language: 'de' });
    expect(await eventsOf(user)).toMatchObject([
      {
        $case: 'contactChanged',
        value: { email: 'a@example.org', emailVerified: false, language: 'de', version: 2n },
      },
      { $case: 'emailConfirmationRequested' },
    ]);
    const [id = ''] = await confirmationIds(user);
    const link = await linkOf(id);
    expect(link.email).toBe('a@example.org');
    // A mail that is sent twice has the same link.
    expect(await linkOf(id)).toEqual(link);

    await confirm(link.token);
    expect(await get(user.id)).toMatchObject({ emailVerified: true, version: 3n });
    expect((await eventsOf(user)).at(-1)).toMatchObject({
      $case: 'contactChanged',
      value: { email: 'a@example.org', emailVerified: true, version: 3n },
    });
    expect(await refusal(confirm(link.token))).toMatchObject(INVALID);
    expect(await refusal(linkOf(id))).toMatchObject({ reason: 'CONFIRMATION_NOT_FOUND' });
  });

  it('is confirmed once by two requests at the same time', async () => {
    const user = await newUser();
    await update(user, { email: 'race@example.org' });
    const token = await tokenFor(user);
    const results = await Promise.allSettled([confirm(token), confirm(token), confirm(token)]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect((await get(user.id)).version).toBe(3n);
  });

  it('is not confirmed by anything else', async () => {
    const user = await newUser();
    await update(user, { email: 'b@example.org' });
    const token = await tokenFor(user);
    for (const wrong of ['', 'x', `${token}x`, token.slice(1), token.toUpperCase()]) {
      expect(await refusal(confirm(wrong))).toMatchObject(INVALID);
    }
    expect((await get(user.id)).emailVerified).toBe(false);
  });

  it('keeps no token in the database, only its hash', async () => {
    const user = await newUser();
    await update(user, { email: 'c@example.org' });
    const token = await tokenFor(user);
    const { rows } = await sql<{ text: string }>`
      select c::text || (select string_agg(encode(events, 'escape'), '') from outbox) as text
      from email_confirmations as c where user_id = ${user.id}`.execute(auth.db);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.text).not.toContain(token);
  });
});

describe('a changed address', () => {
  it('must be confirmed again; the former one gets a mail, and its links are dead', async () => {
    const user = await newUser();
    await update(user, { email: 'old@example.org' });
    const [firstId = ''] = await confirmationIds(user);
    const firstToken = await tokenFor(user);
    await confirm(firstToken);
    await update(user, { email: 'new@example.org' });
    expect(await get(user.id)).toMatchObject({ email: 'new@example.org', emailVerified: false });
    const told = (await eventsOf(user)).filter((event) => event?.$case === 'securityChanged');
    expect(told).toMatchObject([
      { value: { change: SecurityChange.ADDRESS_CHANGED, email: 'old@example.org' } },
    ]);
    expect(await refusal(confirm(firstToken))).toMatchObject(INVALID);
    expect(await refusal(linkOf(firstId))).toMatchObject({ reason: 'CONFIRMATION_NOT_FOUND' });
    await confirm(await tokenFor(user));
    expect(await get(user.id)).toMatchObject({ email: 'new@example.org', emailVerified: true });
  });

  it('causes no mail to a former address that was never confirmed: it may be that of a stranger', async () => {
    const user = await newUser();
    await update(user, { email: 'typo@example.org' });
    await update(user, { email: 'right@example.org' });
    await update(user, { email: '' });
    const kinds = (await eventsOf(user)).map((event) => event?.$case);
    expect(kinds).not.toContain('securityChanged');
  });

  it('is confirmed or replaced, whichever comes first, and never confirmed by the link of the other', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await newUser();
      await update(user, { email: 'one@example.org' });
      const token = await tokenFor(user);
      await Promise.allSettled([confirm(token), update(user, { email: 'two@example.org' })]);
      const { email, emailVerified } = await get(user.id);
      expect([email, emailVerified]).not.toEqual(['two@example.org', true]);
    }
  });
});

describe('links', () => {
  it('expire, and upkeep deletes them', async () => {
    const user = await newUser();
    await update(user, { email: 'late@example.org' });
    const token = await tokenFor(user);
    auth.skip(LINK_LIFETIME_MS);
    try {
      expect(await refusal(confirm(token))).toMatchObject(INVALID);
      await deleteExpiredConfirmations(auth.db, auth.now());
    } finally {
      auth.skip(-LINK_LIFETIME_MS);
    }
    const left = await auth.db
      .selectFrom('email_confirmations')
      .select('id')
      .where('user_id', '=', user.id)
      .execute();
    expect(left).toEqual([]);
  });

  it('are sent again on request, up to the quota, also if all requests come at once', async () => {
    const user = await newUser();
    const caller = await asUser(user);
    const resend = () => auth.client.resendEmailConfirmation({}, caller);
    const nothing = { code: status.FAILED_PRECONDITION, reason: 'NO_EMAIL_TO_CONFIRM' };
    expect(await refusal(resend())).toMatchObject(nothing);
    await update(user, { email: 'again@example.org' });
    const results = await Promise.allSettled(Array.from({ length: LINKS_PER_HOUR + 3 }, resend));
    // The change of the address sent the first one.
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(LINKS_PER_HOUR - 1);
    const refused = await refusal(resend());
    expect(refused).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'TOO_MANY_CONFIRMATIONS' });
    expect(refused.retryAfterMs).toBeGreaterThan(59 * 60_000);
    // Each of them works, and the first that is used ends the others.
    const ids = await confirmationIds(user);
    const [first = '', ...others] = await Promise.all(ids.map(async (id) => (await linkOf(id)).token));
    await confirm(first);
    for (const other of others) expect(await refusal(confirm(other))).toMatchObject(INVALID);
    expect(await refusal(resend())).toMatchObject(nothing);
  });

  it('are given to services only', async () => {
    const user = await newUser();
    await update(user, { email: 'secret@example.org' });
    const [confirmationId = ''] = await confirmationIds(user);
    for (const role of ['customer', 'operator', 'auditor', 'admin'] as const) {
      const call = auth.client.getEmailConfirmation(
        { confirmationId },
        { deadlineMs, accessToken: tokens[role] },
      );
      expect(await refusal(call)).toMatchObject({ code: status.PERMISSION_DENIED });
    }
  });
});

describe('changes that concern the security of a user', () => {
  it('are announced with an API client that is created for the user', async () => {
    const user = await newUser();
    const wanted = { requestId: '', name: 'Till 7', userId: user.id, scopes: ['payments:read'] };
    await auth.client.createApiClient(wanted, { deadlineMs, accessToken: tokens.admin });
    expect(await eventsOf(user)).toMatchObject([
      {
        $case: 'securityChanged',
        value: { change: SecurityChange.API_CLIENT_CREATED, subjectName: 'Till 7', email: '' },
      },
    ]);
  });

  it('are announced with a reset of the password by the command', async () => {
    const user = await newUser();
    await asOwner(auth.database, async (db) => {
      const passwords = await createPasswordHasher({ concurrency: 1, queueMax: 1 });
      const deps = { db, passwords, now: () => new Date(), newUserId: () => 'usr_none' };
      await ensureUser(deps, { username: user.username, password: 'another password', roles: ['customer'] });
    });
    expect(await eventsOf(user)).toMatchObject([
      { $case: 'securityChanged', value: { change: SecurityChange.PASSWORD_RESET } },
    ]);
  });

  it('are announced with a second factor that is confirmed or removed, and with a changed or reset password', async () => {
    const user = await newUser();
    const call = await asUser(user);
    const { factor, secret } = await auth.client.createSecondFactor({ kind: 'totp', name: 'Phone' }, call);
    const factorId = factor?.id ?? '';
    expect(await eventsOf(user)).toEqual([]);
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({
      timestamp: auth.now().getTime(),
    });
    await auth.client.confirmSecondFactor({ factorId, code }, call);
    await auth.client.deleteSecondFactor({ factorId }, call);
    await auth.client.changePassword(
      { currentPassword: PASSWORD, newPassword: `${PASSWORD}, changed` },
      call,
    );
    await auth.client.resetPassword({ userId: user.id }, { deadlineMs, accessToken: tokens.admin });
    expect((await eventsOf(user)).map((event) => event?.value)).toMatchObject([
      { change: SecurityChange.SECOND_FACTOR_ADDED, subjectName: 'Phone' },
      { change: SecurityChange.SECOND_FACTOR_REMOVED },
      { change: SecurityChange.PASSWORD_CHANGED },
      { change: SecurityChange.PASSWORD_RESET },
    ]);
  });

  it('are not announced if the change is rolled back', async () => {
    const user = await newUser();
    const wanted = { requestId: '', name: 'x', userId: user.id, scopes: ['ledger:read'] };
    await refusal(auth.client.createApiClient(wanted, { deadlineMs, accessToken: tokens.admin }));
    expect(await eventsOf(user)).toEqual([]);
  });
});
