/**
 * The table dead_letters: the dead letters of a topic, which its collector stores (messaging/kafka/dead-letter-topic.ts). A row leaves
 * when it is sent back.
 */
import { type Kysely, sql } from 'kysely';
import {
  type DeadLetter,
  DeadLetterError,
  type DeadLetterQuery,
  type DeadLetterSource,
  failureOf,
  MAX_REDRIVEN,
} from '../messaging/dead-letter-source.ts';
import { withoutDeadLetterHeaders } from '../messaging/dead-letters.ts';
import type { CollectedMessage } from '../messaging/kafka/dead-letter-topic.ts';
import type { RawMessage } from '../messaging/kafka/raw-message.ts';
import type { Logger } from '../telemetry/log.ts';
import { boundOf, numberedId, numberOf } from './dead-letter-numbers.ts';

export interface CollectedDeadLetters extends DeadLetterSource {
  /** Stores messages of the dead-letter topic. Those that are stored already are skipped. */
  store(messages: readonly CollectedMessage[]): Promise<void>;
}

export interface CollectedSettings<DB> {
  db: Kysely<DB>;
  name: DeadLetterSource['name'];
  /** The topic that they are sent back to. */
  topic: string;
  send(topic: string, messages: readonly RawMessage[]): Promise<void>;
  log: Logger;
}

interface Row {
  id: bigint;
  reason: string;
  error: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Buffer;
  failed_at: Date;
}

export function collectedDeadLetters<DB>(settings: CollectedSettings<DB>): CollectedDeadLetters {
  const { db, name, topic, send, log } = settings;
  const toLetter = (row: Row) => letterOf(name, row);

  /** Publishes first and deletes then: a crash in between sends it twice, and consumers skip events that they have applied. */
  async function redriveRow(row: Row): Promise<void> {
    const headers = withoutDeadLetterHeaders(headersOf(row));
    try {
      await send(topic, [{ key: row.key, value: row.value, headers }]);
    } catch (cause) {
      throw new DeadLetterError('BROKER_UNAVAILABLE', 'Kafka is unavailable.', { cause });
    }
    await sql`delete from dead_letters where id = ${row.id}`.execute(db);
  }

  return {
    name,
    async store(messages) {
      for (const message of messages) await insert(db, message);
    },
    async list({ reason, after, limit }) {
      const rows = await newest(settings, { reason, after, limit });
      return rows.map(toLetter);
    },
    async find(id) {
      const [row] = await byNumber(db, id);
      return row && toLetter(row);
    },
    async count() {
      const { rows } = await sql<{ count: bigint }>`select count(*) from dead_letters`.execute(db);
      return Number(rows[0]?.count ?? 0);
    },
    async redrive({ id, reason }, announce) {
      const rows = id === undefined ? await oldest(db, reason) : await byNumber(db, id);
      if (rows.length > 0) await announce?.();
      for (const row of rows) await redriveRow(row);
      log.info({ topic, redriven: rows.length }, 'dead letters sent back');
      return rows.length;
    },
  };
}

const COLUMNS = sql.raw('id, reason, error, key, value, headers, failed_at');

async function newest<DB>(
  { db, name }: CollectedSettings<DB>,
  { reason, after, limit }: DeadLetterQuery,
): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from dead_letters
    where (${reason ?? null}::text is null or reason = ${reason ?? null})
      and (${after?.failedAt ?? null}::timestamptz is null
        or (failed_at, id) < (${after?.failedAt ?? null}, ${after ? boundOf(name, after) : null}::bigint))
    order by failed_at desc, id desc limit ${limit}`.execute(db);
  return rows;
}

async function oldest<DB>(db: Kysely<DB>, reason: string | undefined): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from dead_letters where ${reason ?? null}::text is null or reason = ${reason ?? null}
    order by failed_at, id limit ${MAX_REDRIVEN}`.execute(db);
  return rows;
}

async function byNumber<DB>(db: Kysely<DB>, id: string): Promise<Row[]> {
  const { rows } = await sql<Row>`select ${COLUMNS} from dead_letters where id = ${numberOf(id)}`.execute(db);
  return rows;
}

async function insert<DB>(db: Kysely<DB>, message: CollectedMessage): Promise<void> {
  const headers = textsOf(message);
  const { reason, error, failedAt } = failureOf(headers);
  await sql`
    insert into dead_letters (topic_partition, topic_offset, failed_at, reason, error, key, value, headers)
    values (${message.partition}, ${message.offset}, ${failedAt ?? message.storedAt}, ${reason}, ${error},
      ${message.key}, ${message.value}, ${Buffer.from(JSON.stringify(headers))})
    on conflict (topic_partition, topic_offset, failed_at) do nothing`.execute(db);
}

/** One character for each byte, so that a value that is no text stays as it is. */
function textsOf({ headers }: RawMessage): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const single = Array.isArray(value) ? value[0] : value;
    if (single !== undefined) texts[name] = Buffer.from(single).toString('latin1');
  }
  return texts;
}

function headersOf({ headers }: Row): Record<string, Buffer> {
  const texts = Object.entries(JSON.parse(headers.toString()) as Record<string, string>);
  return Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(text, 'latin1')]));
}

function letterOf(source: DeadLetterSource['name'], row: Row): DeadLetter {
  const texts = Object.entries(headersOf(row)).map(([name, value]) => [name, value.toString()] as const);
  const headers = Object.fromEntries(texts);
  return {
    id: numberedId(source, row.id),
    source,
    reason: row.reason as DeadLetter['reason'],
    error: row.error,
    eventId: headers.ce_id ?? '',
    eventType: headers.ce_type ?? '',
    key: row.key?.toString() ?? '',
    failedAt: row.failed_at,
    headers,
    payload: row.value ?? Buffer.alloc(0),
  };
}
