/**
 * Argon2id, bounded. One hash takes 19 MiB and tens of milliseconds of a core, so a burst of logins could starve everything
 * else: a few run at once, some wait, the rest is told to come back later.
 */
import { randomBytes } from 'node:crypto';
import { hash, type Options, verify } from '@node-rs/argon2';
import { AuthError } from '../domain/errors.ts';

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** False for an unknown user (no hash) too, and after the same work. */
  matches(passwordHash: string | undefined, password: string): Promise<boolean>;
}

export interface HashingLimits {
  /** How many hashes run at once. */
  concurrency: number;
  /** How many more may wait for their turn. */
  queueMax: number;
}

/** OWASP's password storage cheat sheet, second choice of argon2id; the library's default algorithm is argon2id. */
const COST: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A full queue is worked off in about this time. */
const RETRY_AFTER_MS = 1_000;

export async function createPasswordHasher({
  concurrency,
  queueMax,
}: HashingLimits): Promise<PasswordHasher> {
  const decoy = await hash(randomBytes(32).toString('base64'), COST);
  const waiting: (() => void)[] = [];
  let running = 0;

  const takeTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= concurrency) {
      if (waiting.length >= queueMax) throw tooManyLogins();
      // Whoever finishes hands the turn on, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };

  return {
    hash: (password) => takeTurn(() => hash(password, COST)),
    matches: (passwordHash, password) =>
      takeTurn(async () => {
        const same = await verify(passwordHash ?? decoy, password);
        return same && passwordHash !== undefined;
      }),
  };
}

function tooManyLogins(): AuthError {
  return new AuthError('TOO_MANY_LOGINS', 'Too many logins at this moment. Try again later.', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
