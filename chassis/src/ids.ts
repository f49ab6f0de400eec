/** Ids with a prefix for their type. They sort by creation time. */
import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** The types of ids: those of the public contract, and those that only services see. */
export type IdPrefix =
  | 'usr'
  | 'acct'
  | 'pay'
  | 'ref'
  | 'txn'
  | 'ntf'
  | 'evt'
  | 'whe'
  | 'whd'
  | 'rule'
  | 'mail'
  | 'man'
  | 'sup' // public
  | 'dec'
  | 'cap'
  | 'can'
  | 'exp'
  | 'req'
  | 'call'
  | 'err'
  | 'fam'
  | 'sf'
  | 'jti'
  | 'cli'
  | 'aud'
  | 'fig'
  | 'rec'
  | 'ecf';

// uuid counts within a millisecond only if it generates the random bytes itself.
let lastMs = 0;
let lastSeq = 0;

/**
 * Returns a prefixed UUIDv7 (RFC 9562): `pay_0198c5b2-…`. Ids of one process sort in the order of creation, also within a
 * millisecond.
 */
export function newId(prefix: IdPrefix): string {
  const random = randomBytes();
  const now = Date.now();
  // The counter of each millisecond starts at a random number in the lower half of 32 bits, so it never overflows.
  lastSeq = now > lastMs ? random.readUInt32BE() >>> 1 : lastSeq + 1;
  lastMs = Math.max(now, lastMs);
  return `${prefix}_${v7({ random, msecs: lastMs, seq: lastSeq })}`;
}

/** Returns an id that sorts by `at`, and by `number` (32 bits) among the ids of one millisecond. Without it, they sort at random. */
export function idAt(prefix: IdPrefix, at: Date, number?: number): string {
  const random = randomBytes();
  return `${prefix}_${v7({ random, msecs: at.getTime(), seq: number ?? random.readUInt32BE() })}`;
}

const BYTES_OF_AN_ID = 16;
const pool = Buffer.alloc(256 * BYTES_OF_AN_ID);
let used = pool.length;

/**
 * Random bytes for one id, from a buffer. uuid generates them for each id, which costs several times as much as the rest of the
 * id.
 */
function randomBytes(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES_OF_AN_ID;
  return pool.subarray(used - BYTES_OF_AN_ID, used);
}
