/**
 * Argon2id, bounded. One hash takes 19 MiB and tens of milliseconds of a core, so a burst of logins could starve everything
 * else: a few run at once, some wait in a fair queue, the rest is told to come back later.
 */
import { randomBytes } from 'node:crypto';
import { hash, type Options, verify } from '@node-rs/argon2';
import { tooManyLogins } from '../domain/errors.ts';
import { createFairQueue, type FairQueueLimits } from './fair-queue.ts';

/** False for an unknown user (no hash) too, and after the same work. */
export type Matches = (passwordHash: string | undefined, password: string) => Promise<boolean>;

export interface PasswordHasher {
  /** In turn. `party` is whom it is done for. */
  hash(party: string, password: string): Promise<string>;
  /** Runs `work` in turn. The turn is for one hash and what must happen right around it. */
  inTurn<T>(party: string, work: (matches: Matches) => Promise<T>): Promise<T>;
}

/** OWASP's password storage cheat sheet, second choice of argon2id; the library's default algorithm is argon2id. */
const COST: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A full queue is worked off in about this time. */
const RETRY_AFTER_MS = 1_000;

export async function createPasswordHasher(limits: FairQueueLimits): Promise<PasswordHasher> {
  const decoy = await hash(randomBytes(32).toString('base64'), COST);
  const queue = createFairQueue(limits, () => tooManyLogins(RETRY_AFTER_MS));
  const matches: Matches = async (passwordHash, password) => {
    const same = await verify(passwordHash ?? decoy, password);
    return same && passwordHash !== undefined;
  };
  return {
    hash: (party, password) => queue.inTurn(party, () => hash(password, COST)),
    inTurn: (party, work) => queue.inTurn(party, () => work(matches)),
  };
}
