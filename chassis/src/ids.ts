/** Ids that say what they name and sort by the time they were made. */
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

/** A prefixed UUIDv7 (RFC 9562): `pay_0198c5b2-…`. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${v7()}`;
}
