import { status } from '@grpc/grpc-js';
import { connectGrpc, type Neighbour, newId, type RoleName, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  createTestIdentity,
  PATIENCE_MS,
  type TestDatabase,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import {
  NotificationServiceClient,
  type NotificationServiceService,
  PreferenceServiceClient,
  type PreferenceServiceService,
} from '@payflowx/proto/notification';
import { LANGUAGES, type Language } from '@payflowx/proto/vocabulary';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordIdentityFacts } from '../src/app/record-identity-facts.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import { NOTIFIED_EVENTS } from '../src/domain/events.ts';
import { DEFAULT_PREFERENCES } from '../src/domain/preferences.ts';
import { WORDINGS } from '../src/domain/wordings.ts';
import { notificationService } from '../src/rpc/notification-service.ts';
import { preferenceService } from '../src/rpc/preference-service.ts';
import { savePreferences } from '../src/store/contacts.ts';
import type { Database } from '../src/store/database.ts';
import { contact, step } from './mail-platform.ts';
import { withoutWebhooks } from './notification.ts';

const identity = createTestIdentity();
let database: TestDatabase;
let db: Kysely<Database>;
let client: Neighbour<PreferenceServiceService>;
let lists: Neighbour<NotificationServiceService>;
const stopping: (() => unknown)[] = [];
/** Mails are stored, and no worker sends them. */
const recording = () => ({ db, wake: () => {}, addMailJobs: async () => undefined });

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const settings = { host: '127.0.0.1', port: 0, reflection: false, pageTokenKey: testPageTokenKey };
  const certificates = testCertificates('notification');
  const server = await serveGrpc({ ...settings, certificates, verifier: identity.verifier, log: testLog }, [
    preferenceService({ db }),
    notificationService({ ...withoutWebhooks(db), figuresDb: db }),
  ]);
  const target = `ipv4:127.0.0.1:${server.port}`;
  client = connectGrpc(PreferenceServiceClient, { target, certificates: testCertificates() });
  lists = connectGrpc(NotificationServiceClient, { target, certificates: testCertificates() });
  stopping.push(
    () => client.close(),
    () => lists.close(),
    () => server.drain(),
    () => db.destroy(),
    () => database.drop(),
  );
});
afterAll(async () => {
  for (const stop of stopping) await stop();
});

const as = async (id: string, ...roles: RoleName[]) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await identity.tokenFor({ id, roles: roles.length > 0 ? roles : ['customer'] }),
});
const read = async (id: string) => (await client.getNotificationPreferences({}, await as(id))).preferences;
const replace = async (
  id: string,
  preferences: Parameters<typeof client.replaceNotificationPreferences>[0]['preferences'],
) => (await client.replaceNotificationPreferences({ preferences }, await as(id))).preferences;

const on = { inbox: true, mail: true };

describe('the preferences of a person', () => {
  it('are all on at first, in the language that admins set', async () => {
    const user = newId('usr');
    const events = NOTIFIED_EVENTS.map((eventType) => ({ eventType, channels: on }));
    expect(await read(user)).toEqual({ channels: on, events, language: 'en' });
    await recordIdentityFacts({ db }, [contact(user, { language: 'de-CH' })]);
    expect((await read(user))?.language).toBe('de');
    // A language without texts.
    await recordIdentityFacts({ db }, [contact(user, { language: 'fr', version: 2n })]);
    expect((await read(user))?.language).toBe('en');
  });

  it('are replaced as a whole, and what is read can be written again', async () => {
    const user = newId('usr');
    const captured = { eventType: 'payment.captured', channels: { inbox: true, mail: false } };
    const stored = await replace(user, {
      channels: { inbox: false, mail: true },
      events: [captured],
      language: 'de',
    });
    expect(stored?.events.find(({ eventType }) => eventType === 'payment.captured')).toEqual(captured);
    expect(stored).toMatchObject({ channels: { inbox: false, mail: true }, language: 'de' });
    expect(await replace(user, stored)).toEqual(stored);
    expect(await read(user)).toEqual(stored);
    const reset = await replace(user, { channels: on, events: [], language: '' });
    expect(reset?.events.every(({ channels }) => channels?.inbox && channels.mail)).toBe(true);
    expect(reset?.language).toBe('en');
  });

  it('are those of the caller only', async () => {
    const [user, other] = [newId('usr'), newId('usr')];
    await replace(user, { channels: { inbox: true, mail: false }, events: [], language: 'de' });
    expect((await read(other))?.channels).toEqual(on);
  });

  it.each<[string, object]>([
    ['preferences.channels', { channels: undefined, events: [], language: '' }],
    ['preferences.language', { channels: on, events: [], language: 'fr' }],
    [
      'preferences.events.0.event_type',
      { channels: on, events: [{ eventType: 'payment.initiated', channels: on }], language: '' },
    ],
    [
      'preferences.events.0.channels',
      { channels: on, events: [{ eventType: 'payment.failed', channels: undefined }], language: '' },
    ],
    [
      'preferences.events.1.event_type',
      {
        channels: on,
        events: [0, 1].map(() => ({ eventType: 'payment.failed', channels: on })),
        language: '',
      },
    ],
  ])('are refused with the name of the wrong field: %s', async (field, preferences) => {
    const refused = replace(newId('usr'), preferences as never);
    await expect(refused).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_ARGUMENT',
    });
    await expect(refused).rejects.toThrow(field);
  });

  it.each<[RoleName, boolean]>([
    ['customer', true],
    ['operator', true],
    ['auditor', true],
    ['admin', true],
  ])('are open to the role %s: %s', async (role, isOpen) => {
    const call = await as(newId('usr'), role);
    const results = await Promise.allSettled([
      client.getNotificationPreferences({}, call),
      client.replaceNotificationPreferences(
        { preferences: { channels: on, events: [], language: '' } },
        call,
      ),
    ]);
    expect(results.map((result) => result.status === 'fulfilled')).toEqual([isOpen, isOpen]);
  });
});

const SWITCHES = [true, false].flatMap((all) => [true, false].map((one) => ({ all, one })));
const CASES = NOTIFIED_EVENTS.flatMap((type) =>
  LANGUAGES.flatMap((language) =>
    SWITCHES.flatMap((inbox) => SWITCHES.map((mail) => ({ type, language, inbox, mail }))),
  ),
);

it('each event reaches each side by the channels that are on for all events and for this one, in the chosen language', async () => {
  const cases = CASES.map((each) => ({
    ...each,
    users: { sender: newId('usr'), receiver: newId('usr') },
    eventId: newId('evt'),
  }));
  await recordIdentityFacts(
    { db },
    cases.flatMap(({ users }) => Object.values(users).map((user) => contact(user))),
  );
  for (const { users, type, language, inbox, mail } of cases) {
    const preferences = {
      channels: { inbox: inbox.all, mail: mail.all },
      events: { ...DEFAULT_PREFERENCES.events, [type]: { inbox: inbox.one, mail: mail.one } },
      language,
    };
    for (const user of Object.values(users)) await savePreferences(db, user, preferences);
  }
  await recordSteps(
    recording(),
    cases.map(({ users, type, eventId }) => step(users.sender, users.receiver, { type, eventId })),
  );
  const stored = await db.selectFrom('notifications').select(['recipient_id', 'channel', 'title']).execute();
  const mails = await db.selectFrom('mails').select(['user_id', 'content']).execute();
  const notices = new Map(stored.map((row) => [row.recipient_id, row]));
  const mailed = new Map(mails.map((row) => [row.user_id, row.content]));
  for (const { users, type, language, inbox, mail } of cases) {
    for (const [side, user] of Object.entries(users)) {
      const label = JSON.stringify({ type, language, side, inbox, mail });
      const isNotified = type !== 'payment.failed' || side === 'sender';
      const title = isNotified && notices.get(user)?.title;
      expect(notices.get(user)?.channel, label).toBe(
        !isNotified ? undefined : inbox.all && inbox.one ? 'inbox' : 'none',
      );
      expect(mailed.has(user), label).toBe(isNotified && mail.all && mail.one);
      if (mailed.has(user))
        expect(mailed.get(user), label).toMatchObject({ title, language, side, eventType: type });
    }
  }
  // The two languages share no title, so a title shows the language.
  const languages = new Map(
    cases.flatMap(({ users, language }) => Object.values(users).map((user) => [user, language])),
  );
  const titlesIn = (language: Language) =>
    new Set(stored.flatMap((row) => (languages.get(row.recipient_id) === language ? [row.title] : [])));
  expect(titlesIn('en').size).toBeGreaterThan(5);
  expect([...titlesIn('en')].filter((title) => titlesIn('de').has(title))).toEqual([]);
});

it('an inbox that is off hides notifications from its user, and not from auditors', async () => {
  const [payer, payee] = [newId('usr'), newId('usr')];
  await replace(payer, { channels: { inbox: false, mail: true }, events: [], language: '' });
  const payment = step(payer, payee);
  await recordSteps({ db, wake: () => {} }, [payment]);
  const list = async (id: string, ...roles: RoleName[]) => {
    const request = { pageSize: 0, pageToken: '', paymentId: payment.paymentId, accountId: '' };
    return (await lists.listNotifications(request, await as(id, ...roles))).notifications.map(
      ({ recipientId, channel }) => [recipientId, channel],
    );
  };
  expect(await list(payer)).toEqual([]);
  expect(await list(payee)).toEqual([[payee, 'inbox']]);
  expect(new Set(await list(newId('usr'), 'auditor'))).toEqual(
    new Set([
      [payer, 'none'],
      [payee, 'inbox'],
    ]),
  );
});

it('has a German text for each reason of a decline that has an English one', () => {
  const reasons = [
    'TO_ACCOUNT_NOT_FOUND',
    'FROM_ACCOUNT_NOT_ACTIVE',
    'TO_ACCOUNT_NOT_ACTIVE',
    'FROM_ACCOUNT_CLOSED',
    'TO_ACCOUNT_CLOSED',
    'CURRENCY_MISMATCH',
    'INSUFFICIENT_BALANCE',
    'PER_PAYMENT_LIMIT_EXCEEDED',
    'DAILY_LIMIT_EXCEEDED',
    'MONTHLY_LIMIT_EXCEEDED',
    'DAILY_COUNT_EXCEEDED',
    'RULE_DECLINED',
  ];
  for (const code of reasons) expect(WORDINGS.de.reason({ code, message: 'English' }), code).toMatch(/\.$/);
  expect(WORDINGS.de.reason({ code: 'NEW_CODE', message: 'English' })).toBe('');
});
