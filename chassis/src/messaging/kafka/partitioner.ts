/** Chooses the partition of a key. */
import type { ICustomPartitioner } from 'kafkajs';

const MULTIPLIER = 0x5bd1e995;
const SEED = 0x9747b28c;

/**
 * Returns the partition that every Kafka client chooses for a key: murmur2, as in the Java client. The version of kafkajs counts
 * in BigInts, so it takes 3 µs for a payment id instead of 0.03. Only dead letters may have no key: they share a partition.
 *
 * https://github.com/apache/kafka/blob/4.1.1/clients/src/main/java/org/apache/kafka/common/utils/Utils.java
 */
export const byKey: ICustomPartitioner =
  () =>
  ({ message: { key }, partitionMetadata }) =>
    (murmur2(Buffer.isBuffer(key) ? key : Buffer.from(key ?? '')) & 0x7fffffff) % partitionMetadata.length;

/** A signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const end = bytes.length & ~3;
  let hash = SEED ^ bytes.length;
  for (let at = 0; at < end; at += 4) {
    hash = Math.imul(hash, MULTIPLIER) ^ mixed(littleEndian(bytes, at, 4));
  }
  if (end < bytes.length) hash = Math.imul(hash ^ littleEndian(bytes, end, bytes.length - end), MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

function mixed(word: number): number {
  const product = Math.imul(word, MULTIPLIER);
  return Math.imul(product ^ (product >>> 24), MULTIPLIER);
}

function littleEndian(bytes: Uint8Array, from: number, count: number): number {
  let word = 0;
  for (let n = 0; n < count; n += 1) word |= (bytes[from + n] as number) << (8 * n);
  return word;
}
