/** The sources of dead letters on real brokers, and the service that joins them. */
import {
  DeadLetterReason,
  DeadLetterServiceClient,
  DeadLetterServiceService,
} from '@payflowx/proto/dead-letters';
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deadLetterService } from '../src/messaging/dead-letter-service.ts';
import type { DeadLetterSource } from '../src/messaging/dead-letter-source.ts';
import { collectDeadLetters } from '../src/messaging/kafka/dead-letter-topic.ts';
import { connectRawProducer, type RawProducer } from '../src/messaging/kafka/producer.ts';
import type { RawMessage } from '../src/messaging/kafka/raw-message.ts';
import { deadLetterQueue } from '../src/messaging/rabbit/dead-letter-queue.ts';
import { createConfirmedPublisher, type QueueSettings } from '../src/messaging/rabbit/publisher.ts';
import { collectedDeadLetters } from '../src/postgres/collected-dead-letters.ts';
import { openDatabase } from '../src/postgres/database.ts';
import { refusedEvents } from '../src/postgres/outbox-dead-letters.ts';
import { redriveAudit } from '../src/postgres/redrive-audit.ts';
import type { Scope } from '../src/rpc/caller.ts';
import { connectGrpc, type Neighbour } from '../src/rpc/client.ts';
import { serveGrpc } from '../src/rpc/server.ts';
import {
  attackedList,
  createTestDatabase,
  createTestIdentity,
  createTestTopics,
  eventually,
  expectTokensToBeBound,
  PATIENCE_MS,
  readTestTopic,
  type TestDatabase,
  testCertificates,
  testLog,
  testPageTokenKey,
  testServers,
} from '../src/testing/index.ts';
import { openQueues, type QueueTap, unique } from './messages.ts';

let database: TestDatabase;
let db: Kysely<unknown>;
beforeAll(async () => {
  const migrations = new URL('./messaging-migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'chassis', migrations });
  db = openDatabase({ url: database.url, poolMax: 4 }, testLog);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const ALL = { reason: undefined, after: undefined, limit: 100 };
const EVERY = { id: undefined, reason: undefined };
const textsOf = (letters: { payload: Buffer }[]) => letters.map(({ payload }) => payload.toString());

describe('a queue', () => {
  let settings: QueueSettings;
  let tap: QueueTap;
  let source: DeadLetterSource;

  beforeEach(async () => {
    settings = { ...testServers.rabbit(), queue: unique('letters') };
    tap = await openQueues(settings);
    source = deadLetterQueue({ ...settings, name: 'payment-notifications' }, testLog);
    const publisher = createConfirmedPublisher(settings, testLog);
    for (const [n, reason] of ['UNDECODABLE', 'REJECTED', 'REJECTED'].entries()) {
      const time = new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();
      const headers = { own: 'kept', 'dead-letter-reason': reason, 'dead-letter-time': time };
      const properties = { messageId: `evt_${n}`, type: 'test.happened', correlationId: 'key', headers };
      await publisher.publish(`${settings.queue}.dlq`, [{ content: Buffer.from(`letter ${n}`), properties }]);
    }
    await publisher.close();
  });
  afterEach(() => tap.dropAll(settings.queue));

  it('keeps its dead letters, however often and by how many they are listed, and pages through them', async () => {
    const first = await source.list(ALL);
    expect(textsOf(first)).toEqual(['letter 2', 'letter 1', 'letter 0']);
    expect(first[2]).toMatchObject({ eventId: 'evt_0', key: 'key', reason: 'UNDECODABLE' });
    // More often than a message may be returned before it is sent to the queue again as a new one.
    for (let round = 0; round < 6; round += 1) {
      const lists = await Promise.all([source.list(ALL), source.list(ALL)]);
      for (const list of lists) expect(list.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    }
    expect(textsOf(await source.list({ ...ALL, limit: 2 }))).toEqual(['letter 2', 'letter 1']);
    expect(textsOf(await source.list({ ...ALL, after: first[1] }))).toEqual(['letter 0']);
    expect(textsOf(await source.list({ ...ALL, reason: 'UNDECODABLE' }))).toEqual(['letter 0']);
    await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(3));
  });

  it('sends back one in its original form, then the rest that match, and each once', async () => {
    const [, middle] = await source.list(ALL);
    const redrive = { ...EVERY, id: middle?.id };
    // Two operators at once.
    const counts = await Promise.all([source.redrive(redrive), source.redrive(redrive)]);
    expect(counts.toSorted()).toEqual([0, 1]);
    await eventually(async () => expect(await tap.count(settings.queue)).toBe(1));
    const [sent] = await tap.peek(settings.queue, 1);
    expect(sent?.content.toString()).toBe('letter 1');
    const { 'x-delivery-count': _, ...headers } = sent?.properties.headers ?? {};
    expect(headers).toEqual({ own: 'kept' });

    expect(await source.redrive({ ...EVERY, reason: 'REJECTED' })).toBe(1);
    expect(textsOf(await source.list(ALL))).toEqual(['letter 0']);
    expect(await source.find(middle?.id ?? '')).toBeUndefined();
  });

  it('keeps its dead letters if the broker refuses to take them back', async () => {
    // Between the reading of the letters and their publication, so that only the publication fails.
    const replaceQueue = async () => {
      await tap.drop(settings.queue);
      await tap.createOther(settings.queue);
    };
    await expect(source.redrive(EVERY, replaceQueue)).rejects.toMatchObject({ reason: 'BROKER_UNAVAILABLE' });
    await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(3));
    expect(await tap.count(settings.queue)).toBe(0);
    await tap.drop(settings.queue);
    expect(await source.redrive(EVERY)).toBe(3);
    await eventually(async () => expect(await tap.count(settings.queue)).toBe(3));
  });
});

describe('a queue that is sent back in part', () => {
  it('is announced once before a letter is sent, not at all if there is none, and is counted without a reading', async () => {
    const settings = { ...testServers.rabbit(), queue: unique('letters') };
    const tap = await openQueues(settings);
    const source = deadLetterQueue({ ...settings, name: 'payment-notifications' }, testLog);
    const publisher = createConfirmedPublisher(settings, testLog);
    const letters = ['a', 'b'].map((text) => ({
      content: Buffer.from(text),
      properties: { messageId: `evt_${text}`, type: 'test.happened', headers: {} },
    }));
    await publisher.publish(`${settings.queue}.dlq`, letters);
    await publisher.close();

    const [{ id = '' } = {}] = await source.list(ALL);
    const sentBefore: number[] = [];
    const announce = async () => void sentBefore.push(await tap.count(settings.queue));
    expect(await source.redrive({ ...EVERY, id }, announce)).toBe(1);
    expect(await source.redrive({ ...EVERY, id }, announce)).toBe(0);
    expect(sentBefore).toEqual([0]);
    for (let round = 0; round < 5; round += 1) expect(await source.count()).toBe(1);
    const [rest] = await tap.peek(`${settings.queue}.dlq`, 1);
    // Read by the list and by the two redrives. Before, the service looked for a letter first, which was one reading more.
    expect(rest?.properties.headers?.['x-delivery-count']).toBe(3);
    await tap.dropAll(settings.queue);
  });
});

describe('a topic', () => {
  it('gives its dead letters to the collector, and gets them back once each in their original form', async () => {
    const topics = await createTestTopics('letters');
    const settings = { ...testServers.kafka(), clientId: 'test-chassis' };
    const producer = await connectRawProducer(settings, testLog);
    const origin = { 'dead-letter-topic': topics.topic, 'dead-letter-time': '2026-01-01T00:00:00.000Z' };
    const raw = (text: string, more: object): RawMessage => ({
      ...{ key: Buffer.from('key'), value: Buffer.from(text) },
      headers: { ce_id: `evt_${text}`, odd: Buffer.from([0xff, 0x00]), ...origin, ...more },
    });
    await producer.send(topics.deadLetterTopic, [
      raw('a', { 'dead-letter-reason': 'UNDECODABLE', 'dead-letter-error': 'Error: no' }),
      raw('b', { 'dead-letter-reason': 'REJECTED' }),
    ]);
    let isAway = false;
    const send: RawProducer['send'] = (...message) =>
      isAway ? Promise.reject(new Error('away')) : producer.send(...message);
    const own = { db, name: 'payment-events', topic: topics.topic, log: testLog } as const;
    const source = collectedDeadLetters({ ...own, send });
    const collect = () =>
      collectDeadLetters({ ...settings, topic: topics.deadLetterTopic }, source.store, testLog);
    const collector = collect();
    await eventually(async () => expect(await source.list(ALL)).toHaveLength(2));
    const [b, a] = await source.list(ALL);
    expect(a).toMatchObject({ eventId: 'evt_a', reason: 'UNDECODABLE', error: 'Error: no', key: 'key' });

    isAway = true;
    await expect(source.redrive({ ...EVERY, id: a?.id })).rejects.toThrow('Kafka is unavailable.');
    isAway = false;
    expect(textsOf(await source.list(ALL)), 'nothing is lost').toEqual(['b', 'a']);
    expect(await source.redrive({ ...EVERY, id: a?.id })).toBe(1);
    expect(await source.redrive({ ...EVERY, id: a?.id })).toBe(0);
    expect((await source.list(ALL)).map(({ id }) => id)).toEqual([b?.id]);

    // A collector that starts again continues after those that are stored.
    await collector.stop();
    await producer.send(topics.deadLetterTopic, [raw('c', { 'dead-letter-reason': 'REJECTED' })]);
    const again = collect();
    await eventually(async () => expect(textsOf(await source.list(ALL)).toSorted()).toEqual(['b', 'c']));
    expect(await source.redrive({ ...EVERY, reason: 'REJECTED' })).toBe(2);
    const sentBack = await readTestTopic(topics.topic, 3);
    expect(textsOf(sentBack).toSorted()).toEqual(['a', 'b', 'c']);
    expect(Object.keys(sentBack[0]?.headers ?? {}).toSorted()).toEqual(['ce_id', 'odd']);
    await again.stop();
    await producer.close();
    await topics.drop();
  });
});

describe('the service', () => {
  const identity = createTestIdentity();
  let client: Neighbour<typeof DeadLetterServiceService>;
  let stop: () => Promise<void>;
  let sent: string[];
  let finds: number;
  const as = async (id: string, role: 'operator' | 'auditor' = 'operator') => ({
    ...{ deadlineMs: PATIENCE_MS, accessToken: await identity.tokenFor({ id, roles: [role] }) },
  });
  const page = { pageSize: 0, pageToken: '', source: '', reason: DeadLetterReason.UNSPECIFIED };
  const none = { deadLetterId: '', source: '', reason: DeadLetterReason.UNSPECIFIED };
  /** True while Kafka accepts nothing. */
  let isAway: boolean;

  beforeEach(async () => {
    sent = [];
    isAway = false;
    const send: RawProducer['send'] = async (_, messages) => {
      if (isAway) throw new Error('away');
      sent.push(...messages.map(({ value }) => String(value)));
    };
    const own = { db, log: testLog } as const;
    const topic = collectedDeadLetters({ ...own, name: 'payment-events', topic: 'events', send });
    const at = new Date('2026-01-01T00:00:00Z');
    const letter = (offset: bigint) => ({
      ...{
        key: null,
        value: Buffer.from(`letter ${offset}`),
        headers: {},
        partition: 0,
        offset,
        storedAt: at,
      },
    });
    await topic.store([letter(0n), letter(1n), letter(1n), letter(2n)]);
    for (const key of ['x', 'y'])
      await sql`
        insert into outbox_dead_letters (destination, event_count, keys, events, error, created_at, refused_at)
        values ('events', 1, array[${key}], 'none', 'too large', now(), ${at})`.execute(db);
    finds = 0;
    const counted = (source: DeadLetterSource): DeadLetterSource => ({
      ...source,
      find(id) {
        finds += 1;
        return source.find(id);
      },
    });
    const service = deadLetterService({
      service: 'payment',
      sources: [topic, refusedEvents({ ...own, name: 'payment-outbox' })].map(counted),
      audit: redriveAudit(db),
      decode: (_, payload) => ({ text: payload.toString(), amount: 1n }),
    });
    const server = await serveGrpc(
      {
        ...{ host: '127.0.0.1', port: 0, reflection: false, log: testLog },
        ...{ certificates: testCertificates('payment'), verifier: identity.verifier },
        pageTokenKey: testPageTokenKey,
      },
      [service],
    );
    const target = `ipv4:127.0.0.1:${server.port}`;
    client = connectGrpc(DeadLetterServiceClient, {
      ...{ target, service: 'payment', certificates: testCertificates() },
    });
    stop = async () => {
      client.close();
      await server.drain();
    };
  });
  afterEach(async () => {
    await stop();
    await sql`delete from dead_letters`.execute(db);
    await sql`delete from outbox_dead_letters`.execute(db);
  });

  it.each([1, 2, 5])(
    'joins sources with equal times in pages of %i, without duplicates and gaps',
    async (pageSize) => {
      const caller = await as('usr_o', 'auditor');
      const keys: string[] = [];
      let pageToken = '';
      do {
        const { deadLetters, nextPageToken } = await client.listDeadLetters(
          { ...page, pageSize, pageToken },
          caller,
        );
        keys.push(...deadLetters.map(({ id }) => id));
        pageToken = nextPageToken;
      } while (pageToken !== '');
      expect(keys).toHaveLength(5);
      expect(keys).toEqual([...new Set(keys)].toSorted().reverse());
    },
  );

  it('shows one with its decoded payload', async () => {
    const caller = await as('usr_o');
    const { deadLetters } = await client.listDeadLetters({ ...page, source: 'payment-events' }, caller);
    expect(deadLetters[0]).toMatchObject({ payloadSize: 8n, payloadJson: '' });
    const { deadLetter } = await client.getDeadLetter({ deadLetterId: deadLetters[0]?.id ?? '' }, caller);
    expect(JSON.parse(deadLetter?.payloadJson ?? '')).toEqual({ text: 'letter 2', amount: 1 });
  });

  it('records who sent them back, before it does', async () => {
    const caller = await as('usr_o');
    const { deadLetters } = await client.listDeadLetters({ ...page, source: 'payment-events' }, caller);
    const deadLetterId = deadLetters[0]?.id ?? '';
    expect(await client.redriveDeadLetters({ ...none, deadLetterId }, caller)).toEqual({ redrivenCount: 1 });
    await expect(client.redriveDeadLetters({ ...none, deadLetterId }, caller)).rejects.toMatchObject({
      reason: 'DEAD_LETTER_NOT_FOUND',
    });
    const other = await as('usr_p');
    expect(await client.redriveDeadLetters({ ...none, reason: DeadLetterReason.REFUSED }, other)).toEqual({
      redrivenCount: 2,
    });
    expect(sent).toEqual(['letter 2']);
    expect(finds, 'the queue of a letter is not read twice').toBe(0);
    const { rows } = await sql<{ count: bigint }>`select count(*) from outbox`.execute(db);
    expect(rows[0]?.count).toBeGreaterThanOrEqual(2n);

    const { records } = await client.listDeadLetterAuditRecords(
      { pageSize: 2, pageToken: '', actorId: '' },
      await as('usr_a', 'auditor'),
    );
    expect(records).toMatchObject([
      { actorId: 'usr_p', deadLetterId: '', reason: DeadLetterReason.REFUSED, redrivenCount: 2 },
      { actorId: 'usr_o', deadLetterId, redrivenCount: 1, callId: expect.stringMatching(/^call_/) },
    ]);
  });

  it('keeps the record of a request that failed, without a number, and no record of one that could not succeed', async () => {
    const caller = await as('usr_q');
    const source = 'payment-events';
    isAway = true;
    await expect(client.redriveDeadLetters({ ...none, source }, caller)).rejects.toMatchObject({
      reason: 'BROKER_UNAVAILABLE',
    });
    const { deadLetters } = await client.listDeadLetters({ ...page, source }, caller);
    const missing = { ...none, deadLetterId: `${deadLetters[0]?.id.slice(0, -6)}000000` };
    await expect(client.redriveDeadLetters(missing, caller)).rejects.toMatchObject({
      reason: 'DEAD_LETTER_NOT_FOUND',
    });
    const own = { pageSize: 0, pageToken: '', actorId: 'usr_q' };
    const { records } = await client.listDeadLetterAuditRecords(own, await as('usr_a', 'auditor'));
    expect(records).toMatchObject([{ actorId: 'usr_q', source, redrivenCount: undefined }]);
    expect(records).toHaveLength(1);
  });

  it('lists those of a reason and of a source, and sends back no others', async () => {
    const caller = await as('usr_o');
    const list = async (filter: object) =>
      (await client.listDeadLetters({ ...page, ...filter }, caller)).deadLetters.map(({ source }) => source);
    const [topic, outbox] = ['payment-events', 'payment-outbox'];
    expect(await list({ reason: DeadLetterReason.REFUSED })).toEqual([outbox, outbox]);
    expect(await list({ source: topic })).toEqual([topic, topic, topic]);
    expect(await list({ source: topic, reason: DeadLetterReason.REFUSED })).toEqual([]);
    expect(await client.redriveDeadLetters({ ...none, source: outbox }, caller)).toEqual({
      redrivenCount: 2,
    });
    expect(await list({})).toEqual([topic, topic, topic]);
  });

  it('shows its audit log, and nothing else, to an API client with the scope', async () => {
    const machine = { id: 'usr_a', roles: ['auditor'], clientId: 'cli_1' } as const;
    const having = async (scope: Scope) => ({
      ...{ deadlineMs: PATIENCE_MS, accessToken: await identity.tokenFor({ ...machine, scopes: [scope] }) },
    });
    const auditPage = { pageSize: 0, pageToken: '', actorId: '' };
    const answer = await client.listDeadLetterAuditRecords(auditPage, await having('audit:read'));
    expect(answer.nextPageToken).toBe('');
    for (const refused of [
      client.listDeadLetterAuditRecords(auditPage, await having('payments:read')),
      client.listDeadLetters(page, await having('audit:read')),
    ])
      await expect(refused).rejects.toMatchObject({ reason: 'INSUFFICIENT_SCOPE' });
  });

  it('is read only for auditors, and refuses unknown sources and filters beside an id', async () => {
    const auditor = await as('usr_a', 'auditor');
    await expect(client.redriveDeadLetters(none, auditor)).rejects.toMatchObject({
      reason: 'ROLE_NOT_ALLOWED',
    });
    const operator = await as('usr_o');
    for (const bad of [{ source: 'elsewhere' }, { deadLetterId: 'dl_1', source: 'payment-events' }])
      await expect(client.redriveDeadLetters({ ...none, ...bad }, operator)).rejects.toMatchObject({
        reason: 'INVALID_ARGUMENT',
      });
    await expect(client.getDeadLetter({ deadLetterId: 'dl_1' }, auditor)).rejects.toMatchObject({
      reason: 'DEAD_LETTER_NOT_FOUND',
    });
  });

  it('accepts a page token only for its own list, caller and filters', async () => {
    const operator = await as('usr_o');
    const auditor = await as('usr_a', 'auditor');
    for (const caller of [operator, operator])
      await client.redriveDeadLetters({ ...none, reason: DeadLetterReason.DELIVERY_LIMIT }, caller);
    await expectTokensToBeBound([DeadLetterServiceService], {
      listDeadLetters: attackedList({
        call: client.listDeadLetters,
        filters: { source: '', reason: DeadLetterReason.UNSPECIFIED },
        as: operator,
        otherCallers: [auditor],
        otherFilters: [{ source: 'payment-events' }, { reason: DeadLetterReason.REFUSED }],
      }),
      listDeadLetterAuditRecords: attackedList({
        call: client.listDeadLetterAuditRecords,
        filters: { actorId: '' },
        as: operator,
        otherCallers: [auditor],
        otherFilters: [{ actorId: 'usr_o' }],
      }),
    });
  });
});
