/**
 * Publishes the outbox. For each destination, one relay among all instances of a service is active: the one whose connection
 * holds the advisory lock. It first publishes and then deletes. So a crash in between repeats messages, with the same ids, and
 * loses none. An event that the broker refuses for ever is moved to outbox_dead_letters, so that the others do not wait for it.
 */
import type { QueryResult, QueryResultRow } from 'pg';
import { type MessagingSystem, recordSent } from '../messaging/message-spans.ts';
import type { Parcel } from '../messaging/parcel.ts';
import { backoffMs, sleep } from '../process/backoff.ts';
import { faultPoint } from '../process/faults.ts';
import type { Logger } from '../telemetry/log.ts';
import { PreparingClient } from './client.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';
import { SET_ASIDE, setAsideValues } from './outbox-dead-letters.ts';
import { publishRows, type Refused, type Row, toParcel } from './publish-rows.ts';

export interface OutboxRelaySettings {
  /** The URL with the serving role. The relay keeps one connection outside the pools, for the lock and LISTEN. */
  url: string;
  destination: string;
  /** The broker, for traces. */
  system?: MessagingSystem;
  /**
   * Resolves when the broker has stored everything. If it rejects, all of it is published again. If it rejects with RefusedError,
   * the refused events become dead letters.
   */
  publish(parcels: Parcel[]): Promise<void>;
  /** Milliseconds until a lost NOTIFY or the death of the active relay is noticed. Default 1,000. */
  pollMs?: number;
  /** Milliseconds without a query until the server ends the session of a hung relay. Default 10,000. */
  idleSessionMs?: number;
}

export interface OutboxRelay {
  /** True if this instance holds the lock and publishes. */
  isActive(): boolean;
  /** Number of messages in the outbox. Rejects while the database is unavailable. */
  pending(): Promise<bigint>;
  /** Finishes the current batch, then releases the lock. */
  stop(): Promise<void>;
}

/** Maximum number of events in a batch. A row with more events is a batch of its own. */
const BATCH = 500;
/** Maximum number of rows that are read for a batch. */
const ROWS = 200;
/**
 * Minimum milliseconds between two batches, unless more rows wait than fit in one. After a pause, the first message hardly waits.
 * Under load each batch carries many messages, because a batch costs nearly the same for any number.
 */
const PACE_MS = 50;
/**
 * Milliseconds that the first message after a pause waits for later ones. Often the response to the request that wrote it is not
 * sent yet, and it needs this process more urgently.
 */
const GATHER_MS = 10;
const STATEMENT_MS = 10_000;
const POLL_MS = 1_000;

/** Starts in the background. While the database or the broker is unavailable, it retries. */
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
        if (attempt > 0) log.info('the outbox relay is connected to the database again');
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

/** Publishes until stopped. Throws if the connection is lost, and the lock with it. */
async function relay(
  session: Session,
  { publish, destination, system, pollMs = POLL_MS }: OutboxRelaySettings,
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
    // Always reads from the lowest id. Ids commit out of order, so a smaller id may appear later.
    const { rows, isFull } = await session.take();
    if (rows.length === 0) {
      await session.wakeUp(pollMs);
      await sleep(GATHER_MS, stopping);
      continue;
    }
    let refused: Refused[];
    try {
      faultPoint('outbox.before-publish');
      refused = await session.keptAlive(publishRows(rows, publish));
      faultPoint('outbox.after-publish');
      recordSent({ system, destination }, rows.map(toParcel), startedAt);
    } catch (error) {
      if (failures === 0)
        log.warn({ err: error }, 'the broker does not accept messages; they stay in the outbox');
      await sleep(backoffMs(failures), stopping);
      failures += 1;
      continue;
    }
    if (failures > 0) log.info('the broker accepts messages again');
    failures = 0;
    const ids = rows.map(({ id }) => id);
    if (refused.length > 0) await session.setAside(ids, refused);
    else await session.remove(ids);
    if (!isFull) await sleep(Math.max(0, PACE_MS - (performance.now() - startedAt)), stopping);
  }
}

/**
 * The server ends the session of a relay that sends no query for this long. So a hung instance loses its lock, and another one
 * publishes. A running relay sends queries more often, also while it waits for a slow broker.
 */
const IDLE_SESSION_MS = 10_000;

/** The relay's connection. The lock and LISTEN end with it. */
interface Session {
  readonly active: boolean;
  /** Returns true if this session holds the lock, and tries to get it if not. */
  holdLock(): Promise<boolean>;
  /** Returns the oldest rows. `isFull` is true if more rows wait than fit in one batch. */
  take(): Promise<{ rows: Row[]; isFull: boolean }>;
  remove(ids: string[]): Promise<void>;
  /** Removes the rows, and stores the refused events as dead letters. */
  setAside(ids: string[], refused: Refused[]): Promise<void>;
  /** Settles as `work` does. Until then it sends queries, so that the server does not end the session as idle. */
  keptAlive<T>(work: Promise<T>): Promise<T>;
  count(): Promise<bigint>;
  /** Resolves when a transaction with a message for this destination has committed since the last `take`, or after `ms`. */
  wakeUp(ms: number): Promise<void>;
  close(): Promise<void>;
}

async function openSession(
  { url, destination, idleSessionMs = IDLE_SESSION_MS }: OutboxRelaySettings,
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

  // The reason is a constant: otherwise Node would create an exception with a stack, for hundreds of messages a second.
  const wake = () => awaited.abort('woken');
  client.on('notification', ({ payload }) => payload === destination && wake());
  // The next query then fails, which ends this session.
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
    // The table is nearly empty or consists of dead rows, and its statistics are outdated: only the index is always fast.
    //
    // This session only deletes messages that the broker has. A deletion that a crash loses is published again, as after any
    // crash here.
    await ask(
      `set enable_seqscan = off; set enable_bitmapscan = off; set synchronous_commit = off;
       set idle_session_timeout = ${idleSessionMs}; listen ${OUTBOX_CHANNEL}`,
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
      // The query may miss a commit from here on, but the next wait does not.
      if (!stopping.aborted) awaited = new AbortController();
      const values = [destination, ROWS, BATCH];
      const { rows } = await ask<Row & { remaining: boolean }>(TAKE, values);
      return { rows, isFull: rows.at(-1)?.remaining ?? false };
    },
    async remove(ids) {
      await ask(REMOVE, [destination, ids]);
    },
    async setAside(ids, refused) {
      await ask(SET_ASIDE, setAsideValues(destination, ids, refused));
      for (const { key, error } of refused)
        log.error(
          { err: error, key },
          'the broker refuses an event for ever; it is a dead letter of the outbox',
        );
    },
    async keptAlive(work) {
      // A failure here needs no treatment: if the session is lost, the relay's next query fails too.
      const timer = setInterval(() => ask('select 1', []).catch(() => {}), idleSessionMs / 3);
      try {
        return await work;
      } finally {
        clearInterval(timer);
      }
    },
    async count() {
      const { rows } = await ask<{ count: string }>(COUNT, [destination]);
      return BigInt(rows[0]?.count ?? 0);
    },
    wakeUp: (ms) => sleep(ms, awaited.signal),
    close,
  };
}

// Selects rows until the batch is full. The inner query has narrow columns: the events of a row are only fetched if it is
// selected.
const TAKE = `select id::text, event_count, events, remaining from (
    select id, event_count, events,
      sum(event_count) over (order by id) - event_count as before,
      lead(id) over (order by id) is not null as remaining
    from outbox where destination = $1 order by id limit $2
  ) as waiting
  where before < $3 order by waiting.id`;
const REMOVE = 'delete from outbox where destination = $1 and id = any($2::bigint[])';
const COUNT = 'select coalesce(sum(event_count), 0)::text as count from outbox where destination = $1';
