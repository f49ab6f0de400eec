/** Serves the list of revoked tokens to the services, and tells them of new entries without delay. */
import { type Logger, type RevocationPage, repeat } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { lastPosition, listRevocations, newestPosition } from '../store/revocations.ts';

/** A revocation reaches the services at most this much later, plus the way. */
const LOOK_EVERY_MS = 300;
/** A waiting request ends after this time. It must be shorter than the deadline of the services. */
const WAIT_MS = 20_000;
const PAGE = 1_000;

export interface RevocationWatch {
  /** Resolves when the list has an entry after the position, after a while without any, or when the watch stops. */
  beyond(position: bigint): Promise<void>;
  /** Ends all waiting requests. */
  stop(): Promise<void>;
}

/** Looks at the list for all waiting requests of this instance. */
export function watchRevocations(db: Kysely<Database>, log: Logger, waitMs = WAIT_MS): RevocationWatch {
  let newest = 0n;
  let stopped = false;
  const waiting = new Set<{ position: bigint; wake(): void }>();
  const look = async () => {
    if (waiting.size === 0) return false;
    const found = await newestPosition(db);
    // The list is empty again when all entries have expired.
    if (found > newest) newest = found;
    for (const one of waiting) if (newest > one.position) one.wake();
    return false;
  };
  const looking = repeat('looking for revoked tokens', LOOK_EVERY_MS, look, log);
  return {
    async beyond(position) {
      if (stopped || newest > position) return;
      await new Promise<void>((resolve) => {
        const one = {
          position,
          wake() {
            clearTimeout(timer);
            waiting.delete(one);
            resolve();
          },
        };
        const timer = setTimeout(one.wake, waitMs);
        waiting.add(one);
      });
    },
    async stop() {
      stopped = true;
      for (const one of waiting) one.wake();
      await looking.stop();
    },
  };
}

interface Deps {
  db: Kysely<Database>;
  revocationWatch: RevocationWatch;
  now(): Date;
}

/** Returns the entries after a position. A position that this database never gave out is that of a lost one: all entries follow. */
export async function readRevocations(
  { db, revocationWatch, now }: Deps,
  { position, wait }: { position: bigint; wait: boolean },
): Promise<RevocationPage> {
  const after = position <= (await lastPosition(db)) ? position : 0n;
  const read = () => listRevocations(db, { after, limit: PAGE, now: now() });
  let revocations = await read();
  if (revocations.length === 0 && wait) {
    await revocationWatch.beyond(after);
    revocations = await read();
  }
  return { revocations, position: revocations.at(-1)?.position ?? after, more: revocations.length === PAGE };
}
