/**
 * Packs a `pg_snapshot` of Postgres for a page token: `xmin:xmax:xip,…`, where xip are the transactions in progress. It has one number for
 * each open writing transaction of the whole server, and each number has up to 19 digits. The packed form stores differences, in 7 bits
 * a byte (LEB128): mostly one byte for each transaction.
 */
import { CallError, MAX_POSITION_BYTES } from '@payflowx/chassis';

/** Bytes that the rest of a statement's position needs at most. */
const REST_BYTES = 320;
const MAX_PACKED_BYTES = Math.floor(((MAX_POSITION_BYTES - REST_BYTES) * 3) / 4);

/**
 * Returns the snapshot in base64url. Throws CallError OVERLOADED if it does not fit into a page token. That needs about 300 open writing
 * transactions, each begun 16,384 transactions or more after the one before.
 */
export function packSnapshot(snapshot: string): string {
  const [xmin = '', xmax = '', xips = ''] = snapshot.split(':');
  const inProgress = xips === '' ? [] : xips.split(',');
  const ascending = [xmin, ...inProgress, xmax].map(BigInt);
  const bytes = ascending.flatMap((xid, index) => bytesOf(xid - (ascending[index - 1] ?? 0n)));
  if (bytes.length > MAX_PACKED_BYTES) {
    throw new CallError('OVERLOADED', 'Too many database transactions are open to begin a statement.');
  }
  return Buffer.from(bytes).toString('base64url');
}

/** Returns the text that was passed to `packSnapshot`. */
export function unpackSnapshot(packed: string): string {
  const ascending: bigint[] = [];
  let difference = 0n;
  let shift = 0n;
  for (const byte of Buffer.from(packed, 'base64url')) {
    difference += BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte & 0x80) continue;
    ascending.push((ascending.at(-1) ?? 0n) + difference);
    difference = 0n;
    shift = 0n;
  }
  const [xmin, ...rest] = ascending;
  const xmax = rest.pop();
  return `${xmin}:${xmax}:${rest.join(',')}`;
}

function bytesOf(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}
