/** For tests only: breaks connections to Postgres, as a restart or a network does. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

const CUT_EVERY_MS = 20;
/** The pauses grow by this factor with each cut, so that also a slow machine finishes a transaction at last. */
const GROWTH = 1.01;
/** The work may end early, before enough connections were cut. */
const MIN_CUTS = 20;

/** One connection in five, at random: with TLS it takes longer to open one than until the next cut, and some must reach a commit. */
const CUT = `select count(pg_terminate_backend(pid))::int as cut from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    and random() < 0.2`;

/**
 * Runs the work while connections to the database are cut again and again: in statements, between the statements of a
 * transaction, and idle ones that hold a lock.
 */
export async function whileConnectionsBreak<T>(
  adminUrl: string,
  work: () => Promise<T>,
  { cutEveryMs = CUT_EVERY_MS } = {},
): Promise<T> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  let isWorking = true;
  const cutting = (async () => {
    let cut = 0;
    for (let rounds = 0; isWorking || rounds < MIN_CUTS; rounds += 1) {
      cut += (await admin.query<{ cut: number }>(CUT)).rows[0]?.cut ?? 0;
      await pause(cutEveryMs * GROWTH ** rounds);
    }
    return cut;
  })();
  try {
    const result = await work();
    isWorking = false;
    if ((await cutting) === 0) throw new Error('No connection was cut.');
    return result;
  } finally {
    isWorking = false;
    await cutting;
    await admin.end();
  }
}

export interface VanishingServer {
  /** The URL of the proxy. */
  url: string;
  /** From now on nothing is forwarded. No connection is closed, and new ones get no answer. */
  freeze(): void;
  /** Forwards new connections again. The old ones stay dead. */
  thaw(): void;
  close(): Promise<void>;
}

/** A proxy to the server of a URL that can drop everything without closing, like a network that drops packets. */
export async function vanishingServer(serverUrl: string): Promise<VanishingServer> {
  const target = new URL(serverUrl);
  const sockets: Socket[] = [];
  let isFrozen = false;
  const server = createServer((near) => {
    near.on('error', () => {});
    sockets.push(near);
    if (isFrozen) return;
    const far = connect(Number(target.port), target.hostname);
    far.on('error', () => {});
    near.pipe(far).pipe(near);
    sockets.push(far);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(serverUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    thaw() {
      isFrozen = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A proxy to the server of a URL that closes a connection before it forwards more than `maxBytes` to the server. It works with TLS too. */
export async function cuttingProxy(
  serverUrl: string,
  maxBytes: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const target = new URL(serverUrl);
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    sockets.push(near, far);
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut);
    let forwarded = 0;
    near.on('data', (data) => {
      forwarded += data.length;
      if (forwarded > maxBytes) cut();
      else far.write(data);
    });
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(serverUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
