/** Ids that say what they name and sort by the time they were made. */
import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** What an id can name; the list of the public contract and what only services see. */
export type IdPrefix =
  | 'usr'
  | 'acct'
  | 'pay'
  | 'ref'
  | 'txn'
  | 'ntf'
  | 'evt'
  | 'rule' // seen by clients
  | 'cap'
  | 'can'
  | 'exp'
  | 'req'
  | 'err'
  | 'key'
  | 'fam'
  | 'rft'
  | 'jti'
  | 'cli'
  | 'aud'
  | 'fig'
  | 'rec';

// uuid counts within a millisecond only where it draws the random bytes itself.
let lastMs = 0;
let lastSeq = 0;

/** A prefixed UUIDv7 (RFC 9562): `pay_0198c5b2-…`. Those of one process sort in the order of their making, also within a millisecond. */
export function newId(prefix: IdPrefix): string {
  const random = randomBytes();
  const now = Date.now();
  // The first of a millisecond counts from somewhere in the lower half of 32 bits, so the count never gets to its end.
  lastSeq = now > lastMs ? random.readUInt32BE() >>> 1 : lastSeq + 1;
  lastMs = Math.max(now, lastMs);
  return `${prefix}_${v7({ random, msecs: lastMs, seq: lastSeq })}`;
}

const BYTES_OF_AN_ID = 16;
const pool = Buffer.alloc(256 * BYTES_OF_AN_ID);
let used = pool.length;

/** Random bytes for one id. Asked for one by one, as uuid does, they cost several times what the rest of the id costs. */
function randomBytes(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES_OF_AN_ID;
  return pool.subarray(used - BYTES_OF_AN_ID, used);
}
