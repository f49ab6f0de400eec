/**
 * Replaces the code of kafkajs 2.2.4 (unmaintained) that encodes one record of a batch. The original allocates a zeroed kilobyte
 * for the record and half a kilobyte for each header, none of it from Node's pool, and counts in BigInts.
 *
 * That costs 13 µs of CPU for a CloudEvent instead of 2, and garbage that triggers the collector. This version allocates once.
 * The format: https://kafka.apache.org/documentation/#record
 */
import { createRequire } from 'node:module';
import type { RawMessage } from './raw-message.ts';

/** The encoded record that kafkajs adds to a batch. */
interface Encoder {
  buf: Buffer;
  offset: number;
  readonly buffer: Buffer;
}

export type KafkaRecord = RawMessage & { offsetDelta: number; timestampDelta: number };

const require = createRequire(import.meta.url);
const RECORD_MODULE = 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
const Encoder = require('kafkajs/src/protocol/encoder.js') as new (initialSize: number) => Encoder;

/** Must be called before the first message is produced, because kafkajs loads the module then. */
export function repairRecords(): void {
  require(RECORD_MODULE);
  const loaded = require.cache[require.resolve(RECORD_MODULE)];
  if (loaded) loaded.exports = encodeRecord;
}

type Bytes = Buffer | string | null | undefined;

export function encodeRecord({ offsetDelta, timestampDelta, key, value, headers }: KafkaRecord): Encoder {
  // Names and values of the headers, alternating.
  const pairs: Bytes[] = [];
  for (const name in headers) {
    const given = headers[name];
    if (!Array.isArray(given)) pairs.push(name, given);
    else for (const each of given) pairs.push(name, each);
  }
  let size = 1 + sizeOfVarInt(timestampDelta) + sizeOfVarInt(offsetDelta) + sizeOfVarInt(pairs.length / 2);
  size += sizeOfBytes(key) + sizeOfBytes(value);
  for (const each of pairs) size += sizeOfBytes(each);

  const encoder = new Encoder(0);
  encoder.buf = Buffer.allocUnsafe(sizeOfVarInt(size) + size);
  writeVarInt(encoder, size);
  encoder.buf[encoder.offset++] = 0; // The attributes, which are always 0.
  writeVarInt(encoder, timestampDelta);
  writeVarInt(encoder, offsetDelta);
  writeBytes(encoder, key);
  writeBytes(encoder, value);
  writeVarInt(encoder, pairs.length / 2);
  for (const each of pairs) writeBytes(encoder, each);
  return encoder;
}

/** For numbers from -1 to 2^30: lengths, and deltas within a batch. */
function sizeOfVarInt(value: number): number {
  let rest = zigZag(value);
  let size = 1;
  for (; rest > 127; rest >>>= 7) size += 1;
  return size;
}

function writeVarInt(to: Encoder, value: number): void {
  let rest = zigZag(value);
  for (; rest > 127; rest >>>= 7) to.buf[to.offset++] = (rest & 127) | 128;
  to.buf[to.offset++] = rest;
}

const zigZag = (value: number) => ((value << 1) ^ (value >> 31)) >>> 0;

const lengthOf = (bytes: Buffer | string) =>
  typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;

function sizeOfBytes(bytes: Bytes): number {
  if (bytes === null || bytes === undefined) return sizeOfVarInt(-1);
  const length = lengthOf(bytes);
  return sizeOfVarInt(length) + length;
}

function writeBytes(to: Encoder, bytes: Bytes): void {
  const isNull = bytes === null || bytes === undefined;
  writeVarInt(to, isNull ? -1 : lengthOf(bytes));
  if (isNull) return;
  to.offset += typeof bytes === 'string' ? to.buf.write(bytes, to.offset) : bytes.copy(to.buf, to.offset);
}
