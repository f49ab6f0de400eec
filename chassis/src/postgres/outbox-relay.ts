/**
 * Publishes the outbox. Of all instances of a service one relay a destination is active: the one whose connection holds the
 * advisory lock. It publishes first and deletes then, so a crash between them repeats messages, with the same ids, and loses none.
 */
import type { QueryResult, QueryResultRow } from 'pg';
import type { Parcel } from '../messaging/parcel.ts';
import { backoffMs, sleep } from '../process/backoff.ts';
import { faultPoint } from '../process/faults.ts';
import type { Logger } from '../telemetry/log.ts';
import { PreparingClient } from './client.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';

export interface OutboxRelaySettings {
  /** The serving role. The relay keeps one connection of its own, outside any pool: lock and LISTEN live on it. */
  url: string;
  destination: string;
  /** Resolves when the broker has everything; on a rejection it is all published again. */
  publish(parcels: Parcel[]): Promise<void>;
  /** How long a lost NOTIFY, and the death of the active relay, may go unnoticed; a second unless given. */
  pollMs?: number;
}

export interface OutboxRelay {
  /** Whether this instance holds the lock and publishes. */
  isActive(): boolean;
  /** Messages that wait for publication. Rejects while the database is away. */
  pending(): Promise<bigint>;
  /** Finishes the batch that is being published, then gives the lock up. */
  stop(): Promise<void>;
}

/** A row's id stays text: it only comes back to the database. */
type Row = { id: string; event_count: number; events: Buffer };

/** The most events of a round; a row that has more by itself is a round of its own. */
const BATCH = 500;
/** The most rows that are looked at for a round. */
const ROWS = 200;
/**
 * The least time between two rounds, unless there is more than one round holds: the first message after a pause hardly
 * waits, and under load a round, which costs nearly the same whatever it carries, carries many.
 */
const PACE_MS = 50;
/**
 * How long the first message after a pause waits for those that follow at once: the request that wrote it is often not answered yet,
 * and needs this process more than the broker needs the message.
 */
const GATHER_MS = 10;
const STATEMENT_MS = 10_000;
const POLL_MS = 1_000;

/** Starts in the background: a database or a broker that is away is waited for. */
export async function startOutboxRelay(
  settings: OutboxRelaySettings,
  parentLog: Logger,
): Promise<OutboxRelay> {
  const log = parentLog.child({ outbox: settings.destination });
  const stopping = new AbortController();
  let session: Session | undefined;

  async function run(): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      try {
        session = await openSession(settings, stopping.signal, log);
        if (attempt > 0) log.info('the outbox relay has its database connection again');
        attempt = 0;
        await relay(session, settings, stopping.signal, log);
      } catch (error) {
        if (attempt === 0)
          log.warn({ err: error }, 'the outbox relay lost its database connection; reconnecting');
      } finally {
        await session?.close();
        session = undefined;
      }
      await sleep(backoffMs(attempt), stopping.signal);
    }
  }

  const finished = run();
  return {
    isActive: () => session?.active ?? false,
    pending() {
      if (session === undefined)
        return Promise.reject(new Error('The outbox relay has no database connection.'));
      return session.count();
    },
    async stop() {
      stopping.abort();
      await finished;
    },
  };
}

/** Publishes until stopped. Throws when the connection, and with it the lock, is gone. */
async function relay(
  session: Session,
  { publish, pollMs = POLL_MS }: OutboxRelaySettings,
  stopping: AbortSignal,
  log: Logger,
): Promise<void> {
  let failures = 0;
  while (!stopping.aborted) {
    if (!(await session.holdLock())) {
      await sleep(pollMs, stopping);
      continue;
    }
    const startedAt = performance.now();
    // Always from the start: ids commit out of order, so behind the last one seen there may be a smaller one.
    const { rows, isFull } = await session.take();
    if (rows.length === 0) {
      await session.wakeUp(pollMs);
      await sleep(GATHER_MS, stopping);
      continue;
    }
    try {
      faultPoint('outbox.before-publish');
      await publish(rows.map(({ event_count, events }) => ({ eventCount: event_count, bytes: events })));
      faultPoint('outbox.after-publish');
    } catch (error) {
      if (failures === 0)
        log.warn({ err: error }, 'the broker does not take messages; they wait in the outbox');
      await sleep(backoffMs(failures), stopping);
      failures += 1;
      continue;
    }
    if (failures > 0) log.info('the broker takes messages again');
    failures = 0;
    await session.remove(rows.map(({ id }) => id));
    if (!isFull) await sleep(PACE_MS - (performance.now() - startedAt), stopping);
  }
}

/**
 * The server ends the session of a relay that has asked nothing for this long: an instance that hangs gives up its lock so, and another
 * one publishes. A running relay asks every second; one whose broker keeps it waiting for longer begins again, and repeats messages.
 */
const SILENT_MS = 10_000;

/** The relay's connection: its lock and its LISTEN end with it. */
interface Session {
  readonly active: boolean;
  /** Whether this session has the lock now; tries to get it otherwise. */
  holdLock(): Promise<boolean>;
  /** The oldest rows; `isFull`: there are more than one round holds. */
  take(): Promise<{ rows: Row[]; isFull: boolean }>;
  remove(ids: string[]): Promise<void>;
  count(): Promise<bigint>;
  /** Resolves when a transaction with a message for us has committed since the last `take`, or after `ms`. */
  wakeUp(ms: number): Promise<void>;
  close(): Promise<void>;
}

async function openSession(
  { url, destination }: OutboxRelaySettings,
  stopping: AbortSignal,
  log: Logger,
): Promise<Session> {
  const client = new PreparingClient({
    connectionString: url,
    application_name: `outbox relay ${destination}`,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    statement_timeout: STATEMENT_MS,
  });
  let active = false;
  let awaited = new AbortController();

  // With a reason of ours: Node would make an exception with a stack, for each of hundreds of messages a second.
  const wake = () => awaited.abort('woken');
  client.on('notification', ({ payload }) => payload === destination && wake());
  // The next query fails then, which ends this session.
  client.on('error', (error) => {
    log.debug({ err: error }, 'database connection broke');
    active = false;
    wake();
  });
  const ask = <R extends QueryResultRow>(text: string, values: unknown[]): Promise<QueryResult<R>> =>
    client.query(text, values);
  stopping.addEventListener('abort', wake);

  async function close(): Promise<void> {
    active = false;
    stopping.removeEventListener('abort', wake);
    await client.end().catch(() => {});
  }

  try {
    await client.connect();
    // The table is nearly empty or nearly all dead rows, and its statistics are of some other moment: only the index is always right.
    // All that this session writes is deletions of what the broker has: one that a crash loses is published again, as after any crash here.
    await ask(
      `set enable_seqscan = off; set enable_bitmapscan = off; set synchronous_commit = off;
       set idle_session_timeout = ${SILENT_MS}; listen ${OUTBOX_CHANNEL}`,
      [],
    );
  } catch (error) {
    await close();
    throw error;
  }

  return {
    get active() {
      return active;
    },
    async holdLock() {
      if (active) return true;
      const { rows } = await ask<{ locked: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as locked',
        [`outbox:${destination}`],
      );
      active = rows[0]?.locked ?? false;
      if (active) log.info('this instance publishes the outbox');
      return active;
    },
    async take() {
      // A commit from here on may be missed by the query, but not by the next wait.
      if (!stopping.aborted) awaited = new AbortController();
      const values = [destination, ROWS, BATCH];
      const { rows } = await ask<Row & { remaining: boolean }>(TAKE, values);
      return { rows, isFull: rows.at(-1)?.remaining ?? false };
    },
    async remove(ids) {
      await ask(REMOVE, [destination, ids]);
    },
    async count() {
      const { rows } = await ask<{ count: string }>(COUNT, [destination]);
      return BigInt(rows[0]?.count ?? 0);
    },
    wakeUp: (ms) => sleep(ms, awaited.signal),
    close,
  };
}

// Up to the row with which there are enough. The columns of the inner query are narrow: what lies in a row is fetched only if it is taken.
const TAKE = `select id::text, event_count, events, remaining from (
    select id, event_count, events,
      sum(event_count) over (order by id) - event_count as before,
      lead(id) over (order by id) is not null as remaining
    from outbox where destination = $1 order by id limit $2
  ) as waiting
  where before < $3 order by waiting.id`;
const REMOVE = 'delete from outbox where destination = $1 and id = any($2::bigint[])';
const COUNT = 'select coalesce(sum(event_count), 0)::text as count from outbox where destination = $1';
