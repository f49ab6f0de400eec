/**
 * Encodes a column of many rows as a Postgres array in binary format. pg would send array literals. Postgres would search these
 * for quotes, and decode them from hex and decimals. That costs more than twice the CPU, on both sides (docs/internals/cost.md).
 *
 * The format is that of array_recv, and for each element that of its type's receive function.
 * https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c
 */

/** The JavaScript type of a column's values, by the Postgres type. */
export interface ColumnValues {
  text: string;
  json: string;
  bytea: Uint8Array;
  bool: boolean;
  int2: number;
  int4: number;
  int8: bigint;
  /** In decimal. */
  xid: string;
  /** 'YYYY-MM-DD'. */
  date: string;
  timestamptz: Date;
}

export type ColumnType = keyof ColumnValues;

/** Type ids as in the system catalog pg_type. */
const OIDS: Record<ColumnType, number> = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  xid: 28,
  json: 114,
  date: 1082,
  timestamptz: 1184,
};

const MS_PER_DAY = 86_400_000;
/** Postgres counts days and microseconds from this moment. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

const writeText = (value: string, offset: number) => offset + scratch.write(value, offset);

/** Writes a value at the offset and returns the offset after it. */
const WRITE: { [T in ColumnType]: (value: ColumnValues[T], offset: number) => number } = {
  text: writeText,
  json: writeText,
  bytea(value, offset) {
    scratch.set(value, offset);
    return offset + value.length;
  },
  bool: (value, offset) => scratch.writeUInt8(value ? 1 : 0, offset),
  int2: (value, offset) => scratch.writeInt16BE(value, offset),
  int4: (value, offset) => scratch.writeInt32BE(value, offset),
  int8: (value, offset) => scratch.writeBigInt64BE(value, offset),
  xid: (value, offset) => scratch.writeUInt32BE(Number(value), offset),
  date: (value, offset) => scratch.writeInt32BE((Date.parse(value) - EPOCH_MS) / MS_PER_DAY, offset),
  timestamptz: (value, offset) => scratch.writeBigInt64BE(BigInt(value.getTime() - EPOCH_MS) * 1000n, offset),
};

/** Each array is written to this buffer first, because its length is only known afterwards. */
let scratch = Buffer.allocUnsafe(64 * 1024);

/** Number of dimensions, a flag for nulls, the element type; then the length and the lower bound of the only dimension. */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
/** For a value of fixed length. */
const MAX_FIXED_BYTES = 8;
/** Maximum number of UTF-8 bytes for one UTF-16 unit. */
const MAX_UTF8_BYTES = 3;

/**
 * Returns the values as a binary array of the type; pg sends bytes unchanged. Throws a RangeError for a number that does not fit.
 * The check must be here: an error that is thrown while pg writes a statement makes the connection unusable.
 */
export function binaryArray<T extends ColumnType>(
  type: T,
  values: readonly (ColumnValues[T] | null | undefined)[],
): Buffer {
  const write = WRITE[type];
  let end = HEADER_BYTES;
  let hasNulls = 0;
  for (const value of values) {
    if (value === null || value === undefined) {
      hasNulls = 1;
      reserve(end, LENGTH_BYTES);
      end = scratch.writeInt32BE(NULL_LENGTH, end);
      continue;
    }
    reserve(end, LENGTH_BYTES + maxBytesOf(value));
    const start = end + LENGTH_BYTES;
    const next = write(value, start);
    scratch.writeInt32BE(next - start, end);
    end = next;
  }
  writeHeader(hasNulls, OIDS[type], values.length);
  return Buffer.from(scratch.subarray(0, end));
}

function writeHeader(hasNulls: number, oid: number, length: number): void {
  [1, hasNulls, oid, length, 1].forEach((value, index) => {
    scratch.writeInt32BE(value, index * 4);
  });
}

function maxBytesOf(value: ColumnValues[ColumnType]): number {
  if (typeof value === 'string') return Math.max(value.length * MAX_UTF8_BYTES, MAX_FIXED_BYTES);
  return value instanceof Uint8Array ? value.length : MAX_FIXED_BYTES;
}

/** Makes room for this many bytes from the offset on. */
function reserve(offset: number, bytes: number): void {
  if (offset + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, offset + bytes));
  larger.set(scratch.subarray(0, offset));
  scratch = larger;
}
