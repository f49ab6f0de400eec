import { newId } from '@payflowx/chassis';
import { eventually } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storeAttempts } from '../src/app/store-attempts.ts';
import { DISABLE_AFTER_MS } from '../src/domain/retry-schedule.ts';
import type { EndpointRow } from '../src/store/database.ts';
import { insertDelivery } from '../src/store/deliveries.ts';
import { insertWebhookEndpoint } from './endpoint-row.ts';
import { contact, type MailPlatform, startMailPlatform } from './mail-platform.ts';
import { startMailServer, type TestMailServer } from './smtp-servers.ts';

const HOUR_MS = 3_600_000;
const START = Date.now();

let server: TestMailServer;
let platform: MailPlatform;
beforeAll(async () => {
  server = await startMailServer();
  platform = await startMailPlatform(server.url);
});
afterAll(async () => {
  await platform?.stop();
  await server?.close();
});

/** One attempt, with the clock moved on by so many milliseconds. */
async function attempt(endpoint: EndpointRow, laterMs: number, status: number): Promise<void> {
  const at = new Date(START + laterMs);
  const deliveryId = newId('whd');
  const { id: endpoint_id, owner_id } = endpoint;
  await platform.db.transaction().execute((trx) =>
    insertDelivery(trx, {
      ...{ id: deliveryId, endpoint_id, owner_id, event_id: newId('evt'), state: 'pending' },
      ...{ tries: 0, attempt_count: 0, next_attempt_at: at, created_at: at },
    }),
  );
  const error = status < 300 ? '' : `status ${status}`;
  const answer = { status, latencyMs: 1, response: '', error, retryAfter: undefined };
  const deps = { db: platform.db, addMailJobs: platform.addJobs, now: () => at };
  await storeAttempts(deps, [{ endpoint, deliveryId, tries: 0, at, answer }]);
}

async function endpointOf(language: string) {
  const owner = newId('usr');
  await platform.announce(contact(owner, { language }));
  const description = '<b>Shop</b>';
  return insertWebhookEndpoint(platform.db, {
    owner_id: owner,
    url: 'https://shop.example/hook?key=geheim',
    description,
  });
}

const stateOf = ({ id }: EndpointRow) =>
  platform.db
    .selectFrom('webhook_endpoints')
    .select(['state', 'disabled_reason'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
const eventsOf = ({ owner_id }: EndpointRow) =>
  platform.db
    .selectFrom('events')
    .select(['type', 'created_at'])
    .where('sender_owner_id', '=', owner_id)
    .execute();
const mailsOf = ({ owner_id }: EndpointRow) =>
  server.received.filter(({ to }) => to.includes(`${owner_id}@example.org`));

it('an endpoint that fails for five days is disabled, and its owner gets one event and one mail', async () => {
  const endpoint = await endpointOf('en');
  for (let laterMs = 0; laterMs < DISABLE_AFTER_MS; laterMs += 6 * HOUR_MS)
    await attempt(endpoint, laterMs, 500);
  await attempt(endpoint, DISABLE_AFTER_MS - 1, 500);
  expect(await stateOf(endpoint)).toEqual({ state: 'enabled', disabled_reason: '' });
  expect(await eventsOf(endpoint)).toEqual([]);

  const late = { ...endpoint };
  await attempt(endpoint, DISABLE_AFTER_MS, 500);
  expect(await stateOf(endpoint)).toEqual({ state: 'disabled', disabled_reason: 'failing' });
  // An attempt that was in flight meanwhile does not tell again.
  await attempt(late, DISABLE_AFTER_MS + 1, 500);
  const created_at = new Date(START + DISABLE_AFTER_MS);
  expect(await eventsOf(endpoint)).toEqual([{ type: 'webhook_endpoint.disabled', created_at }]);
  const mail = await eventually(() => {
    expect(mailsOf(endpoint)).toHaveLength(1);
    return mailsOf(endpoint)[0]?.source.replaceAll('=\r\n', '') ?? '';
  });
  expect(mail).toContain('Subject: Your webhook endpoint was disabled');
  expect(mail).toContain('have failed for 5 days');
  expect(mail).toContain(endpoint.id);
  expect(mail).toContain('https://shop.example/hook');
  expect(mail).not.toContain('geheim');
  expect(mail).toContain('&lt;b&gt;Shop&lt;/b&gt;');
});

it('one success ends the series of failures', async () => {
  const endpoint = await endpointOf('en');
  await attempt(endpoint, 0, 500);
  await attempt(endpoint, 4 * 24 * HOUR_MS, 204);
  for (const days of [5, 6, 9]) await attempt(endpoint, days * 24 * HOUR_MS, 500);
  expect(await stateOf(endpoint)).toEqual({ state: 'enabled', disabled_reason: '' });
  await attempt(endpoint, 10 * 24 * HOUR_MS, 500);
  expect(await stateOf(endpoint)).toEqual({ state: 'disabled', disabled_reason: 'failing' });
});

it('the mail about an endpoint that is gone is in the language of its owner', async () => {
  const endpoint = await endpointOf('de');
  await attempt(endpoint, 0, 410);
  await eventually(() => expect(mailsOf(endpoint)).toHaveLength(1));
  expect(mailsOf(endpoint)[0]?.source).toContain('Subject: Ihr Webhook-Endpunkt wurde deaktiviert');
});

it('the owner of an endpoint without a confirmed address gets the event only', async () => {
  const endpoint = await insertWebhookEndpoint(platform.db, { owner_id: newId('usr') });
  await attempt(endpoint, 0, 410);
  expect(await eventsOf(endpoint)).toHaveLength(1);
  expect(await platform.mailOf(endpoint.owner_id)).toMatchObject({
    state: 'skipped',
    reason: 'NO_CONFIRMED_ADDRESS',
  });
});

it('a 410 of an earlier URL does not disable the endpoint with its new one', async () => {
  const endpoint = await endpointOf('en');
  const url = 'https://shop.example/moved';
  await platform.db.updateTable('webhook_endpoints').set({ url }).where('id', '=', endpoint.id).execute();
  await attempt(endpoint, 0, 410);
  expect(await stateOf(endpoint)).toEqual({ state: 'enabled', disabled_reason: '' });
  await attempt({ ...endpoint, url }, 1, 410);
  expect(await stateOf(endpoint)).toEqual({ state: 'disabled', disabled_reason: 'gone' });
});
