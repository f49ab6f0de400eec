import { newId } from '@payflowx/chassis';
import { eventually } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { purgeMails } from '../src/app/purge-mails.ts';
import { MAX_ATTEMPTS } from '../src/domain/mail-delivery.ts';
import { deleteSuppression, selectSuppressions } from '../src/store/mail-suppressions.ts';
import { contact, type MailPlatform, startMailPlatform, step } from './mail-platform.ts';
import { smtpError, startMailServer, type TestMailServer } from './smtp-servers.ts';

let server: TestMailServer;
let platform: MailPlatform;
/** The answer of the server to RCPT. */
let refusal: Error | undefined;
/** The links that auth knows. Undefined: auth is down. */
let links: Record<string, { email: string; token: string }> | undefined;
let authorizationIsDown = false;

beforeAll(async () => {
  server = await startMailServer({ onRcptTo: (_, __, callback) => callback(refusal) });
  platform = await startMailPlatform(server.url, {
    confirmations: {
      async find(id) {
        if (!links) throw new Error('auth is down');
        return links[id];
      },
    },
    accounts: {
      async timeZoneOf() {
        if (authorizationIsDown) throw new Error('authorization is down');
        return 'Europe/Berlin';
      },
    },
  });
});
beforeEach(() => {
  refusal = undefined;
  authorizationIsDown = false;
});
afterAll(async () => {
  await platform?.stop();
  await server?.close();
});

const received = (userId: string) => server.received.filter(({ to }) => to.includes(`${userId}@example.org`));

describe('a mail about a payment', () => {
  it('goes to each side with a confirmed address, in its language, once however often the event arrives', async () => {
    const [payer, payee] = [newId('usr'), newId('usr')];
    await platform.announce(contact(payer), contact(payee, { language: 'de-AT' }));
    const payment = step(payer, payee);
    await Promise.all([platform.record(payment), platform.record(payment)]);
    await platform.record(payment);
    expect(await platform.mailOf(payer)).toMatchObject({ state: 'sent', attempts: 1, last_error: null });
    expect(await platform.mailOf(payee)).toMatchObject({ state: 'sent', address: `${payee}@example.org` });
    expect([received(payer), received(payee)].map(({ length }) => length)).toEqual([1, 1]);
    expect(received(payer)[0]?.source).toContain('Subject: Payment sent');
    expect(received(payer)[0]?.source).toContain('Your reference: R-1');
    expect(received(payee)[0]?.source).toContain('Subject: Zahlung erhalten');
    expect(received(payee)[0]?.source).toContain('MESZ');
    // The payer's reference is not for the payee.
    expect(received(payee)[0]?.source).not.toContain('R-1');
  });

  it('is not stored for a user without an address, or with one that is not confirmed', async () => {
    const [without, unconfirmed] = [newId('usr'), newId('usr')];
    await platform.announce(contact(unconfirmed, { isConfirmed: false }));
    await platform.record(step(without, unconfirmed));
    const stored = await platform.db
      .selectFrom('mails')
      .select('id')
      .where('user_id', 'in', [without, unconfirmed])
      .execute();
    expect(stored).toEqual([]);
  });

  it('goes to the address of the moment when it is sent, and to none that is no longer confirmed', async () => {
    const [payer, payee] = [newId('usr'), newId('usr')];
    await platform.announce(contact(payer), contact(payee));
    refusal = smtpError(451, 'try later');
    await platform.record(step(payer, payee));
    await Promise.all([platform.mailOf(payer, 1), platform.mailOf(payee, 1)]);
    refusal = undefined;
    const moved = { email: 'moved@example.org', version: 3n };
    await platform.announce(
      contact(payer, moved),
      contact(payer, { version: 2n }),
      contact(payee, { email: '', isConfirmed: false, version: 2n }),
    );
    await platform.skipPauses();
    expect(await platform.mailOf(payer)).toMatchObject({ state: 'sent', address: 'moved@example.org' });
    expect(await platform.mailOf(payee)).toMatchObject({ state: 'skipped', reason: 'NO_CONFIRMED_ADDRESS' });
    expect(received(payer)).toEqual([]);
  });
});

describe('an attempt that fails', () => {
  it('is repeated with the same Message-ID after a temporary refusal', async () => {
    const user = newId('usr');
    await platform.announce(contact(user));
    refusal = smtpError(450, '4.2.1 greylisted');
    await platform.record(step(user, ''));
    const waiting = await platform.mailOf(user, 1);
    expect(waiting).toMatchObject({
      state: 'pending',
      attempts: 1,
      last_error: expect.stringContaining('greylisted'),
    });
    refusal = undefined;
    await platform.skipPauses();
    expect(await platform.mailOf(user)).toMatchObject({ state: 'sent', attempts: 2, last_error: null });
    expect(received(user)[0]?.source).toContain(`Message-ID: <${waiting.id}@payflowx.example>`);
  });

  it('is repeated while authorization or auth is down', async () => {
    const [payer, newcomer] = [newId('usr'), newId('usr')];
    const confirmationId = newId('ecf');
    await platform.announce(contact(payer));
    authorizationIsDown = true;
    links = undefined;
    await platform.record(step(payer, ''));
    await platform.announce(confirmation(newcomer, confirmationId));
    await Promise.all([platform.mailOf(payer, 1), platform.mailOf(newcomer, 1)]);
    authorizationIsDown = false;
    links = { [confirmationId]: { email: `${newcomer}@example.org`, token: 'a-token' } };
    await platform.skipPauses();
    expect(await platform.mailOf(payer)).toMatchObject({ state: 'sent' });
    expect(await platform.mailOf(newcomer)).toMatchObject({ state: 'sent' });
    expect(received(newcomer)[0]?.source.replaceAll('=\r\n', '').replaceAll('=3D', '=')).toContain(
      'https://pay.example/confirm-email#token=a-token',
    );
    // The token is in the mail and nowhere else.
    const stored = await platform.db
      .selectFrom('mails')
      .selectAll()
      .where('user_id', '=', newcomer)
      .execute();
    expect(JSON.stringify(stored)).not.toContain('a-token');
  });

  it('is the last one after too many', async () => {
    const user = newId('usr');
    await platform.announce(contact(user));
    refusal = smtpError(450, 'busy');
    await platform.record(step(user, ''));
    const { id } = await platform.mailOf(user, 1);
    await platform.db
      .updateTable('mails')
      .set({ attempts: MAX_ATTEMPTS - 1 })
      .where('id', '=', id)
      .execute();
    await platform.skipPauses();
    expect(await platform.mailOf(user)).toMatchObject({
      state: 'failed',
      reason: 'TOO_MANY_ATTEMPTS',
      attempts: MAX_ATTEMPTS,
    });
  });
});

describe('an address that the server refuses for ever', () => {
  it('gets no more mails, in any spelling, until an operator lifts it', async () => {
    const [first, second, third] = [newId('usr'), newId('usr'), newId('usr')];
    const email = `Gone-${first}@example.org`;
    await platform.announce(
      contact(first, { email }),
      contact(second, { email: email.toLowerCase() }),
      contact(third, { email: email.toUpperCase() }),
    );
    refusal = smtpError(550, '5.1.1 no such user');
    await platform.record(step(first, ''));
    expect(await platform.mailOf(first)).toMatchObject({
      state: 'failed',
      reason: 'ADDRESS_REFUSED',
      attempts: 1,
    });
    refusal = undefined;
    await platform.record(step(second, ''));
    expect(await platform.mailOf(second)).toMatchObject({ state: 'skipped', reason: 'ADDRESS_SUPPRESSED' });

    const [suppression] = await selectSuppressions(platform.db, undefined, 1);
    expect(suppression).toMatchObject({ address: email.toLowerCase(), response: '550 5.1.1 no such user' });
    expect(await deleteSuppression(platform.db, suppression?.id ?? '')).toBe(email.toLowerCase());
    await platform.record(step(third, ''));
    expect(await platform.mailOf(third)).toMatchObject({ state: 'sent' });
  });
});

describe('a security mail', () => {
  it('goes to the current address, and with a change of the address to the former one', async () => {
    const [user, moved] = [newId('usr'), newId('usr')];
    await platform.announce(contact(user), contact(moved, { email: 'new@example.org' }));
    const about = { eventId: newId('evt'), occurredAt: new Date(), userId: user, kind: 'security' } as const;
    const created = { ...about, change: 'api_client_created', subjectName: 'Till <7>', email: '' } as const;
    const changed = {
      ...about,
      eventId: newId('evt'),
      userId: moved,
      change: 'address_changed',
      subjectName: '',
      email: `${moved}@example.org`,
    } as const;
    await platform.announce(created, changed);
    await platform.announce(created, changed);
    expect(await platform.mailOf(user)).toMatchObject({ state: 'sent' });
    expect(await platform.mailOf(moved)).toMatchObject({ state: 'sent', address: `${moved}@example.org` });
    expect(received(user)).toHaveLength(1);
    expect(received(user)[0]?.source).toContain('Till &lt;7&gt;');
    expect(received(moved)[0]?.source).toContain('Subject: Your mail address was changed');
  });
});

describe('a confirmation mail', () => {
  it('is not sent for a link that is used, expired or out of date', async () => {
    const user = newId('usr');
    links = {};
    await platform.announce(confirmation(user, newId('ecf')));
    expect(await platform.mailOf(user)).toMatchObject({
      state: 'skipped',
      reason: 'CONFIRMATION_SUPERSEDED',
      attempts: 0,
    });
  });
});

it('many mails at once are sent once each', async () => {
  const users = Array.from({ length: 25 }, () => newId('usr'));
  await platform.announce(...users.map((user) => contact(user)));
  await platform.record(...users.map((user) => step(user, '')));
  await eventually(async () =>
    expect(users.map((user) => received(user).length)).toEqual(users.map(() => 1)),
  );
});

it('old mails are purged, whatever their state', async () => {
  const user = newId('usr');
  await platform.announce(contact(user));
  await platform.record(step(user, ''));
  await platform.mailOf(user);
  const count = async () => (await platform.db.selectFrom('mails').select('id').execute()).length;
  const purge = (ageMs: number) =>
    purgeMails({ db: platform.db, retentionMs: 1_000, now: () => new Date(Date.now() + ageMs) });
  const before = await count();
  expect(await purge(-60_000)).toBe(false);
  expect(await count()).toBe(before);
  await purge(60_000);
  expect(await count()).toBe(0);
});

function confirmation(userId: string, confirmationId: string) {
  return {
    eventId: newId('evt'),
    occurredAt: new Date(),
    userId,
    kind: 'confirmation',
    confirmationId,
  } as const;
}
