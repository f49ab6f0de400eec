/**
 * Hashes passwords with argon2id, a limited number at once. One hash takes 19 MiB and tens of milliseconds of a core, so a burst
 * of logins could starve all other requests. A few hashes run at once, some wait in a fair queue, and the rest get
 * TOO_MANY_LOGINS.
 */
import { randomBytes } from 'node:crypto';
import { hash, type Options, verify } from '@node-rs/argon2';
import { tooManyLogins } from '../domain/errors.ts';
import { createFairQueue, type FairQueueLimits } from './fair-queue.ts';

/** False for an unknown user (no hash) too, after the same work. */
export type Matches = (passwordHash: string | undefined, password: string) => Promise<boolean>;

export type Hash = (password: string) => Promise<string>;

export interface PasswordHasher {
  /** Waits in the queue of `party`, then hashes. */
  hash(party: string, password: string): Promise<string>;
  /** Waits in the queue of `party`, then runs `work`. A turn covers one or two hashes and the steps directly around them. */
  inTurn<T>(party: string, work: (matches: Matches, hash: Hash) => Promise<T>): Promise<T>;
}

/** OWASP's password storage cheat sheet, second choice of argon2id; the library's default algorithm is argon2id. */
const COST: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A full queue empties in about this time. */
const RETRY_AFTER_MS = 1_000;

export async function createPasswordHasher(limits: FairQueueLimits): Promise<PasswordHasher> {
  const decoy = await hash(randomBytes(32).toString('base64'), COST);
  const queue = createFairQueue(limits, () => tooManyLogins(RETRY_AFTER_MS));
  const matches: Matches = async (passwordHash, password) => {
    const same = await verify(passwordHash ?? decoy, password);
    return same && passwordHash !== undefined;
  };
  const hashOf: Hash = (password) => hash(password, COST);
  return {
    hash: (party, password) => queue.inTurn(party, () => hashOf(password)),
    inTurn: (party, work) => queue.inTurn(party, () => work(matches, hashOf)),
  };
}
