/** Verifies, with nothing but SHA-256, that a head of the journal commits to what a receipt says (Merkle tree of RFC 6962). */
import { createHash } from 'node:crypto';
import type { components } from '../gen/openapi.ts';

export type Receipt = components['schemas']['Receipt'];

/**
 * Whether every transaction of the receipt is in the tree of its head. To know that the head is the journal's own, compare
 * `receipt.head.head_hash` with one that you kept, or that somebody published.
 */
export function verifyReceipt({ head, transactions }: Receipt): boolean {
  return (
    transactions.length > 0 &&
    transactions.every(({ canonical, position, path }) => {
      const leaf = hash(Buffer.from([0]), Buffer.from(canonical, 'hex'));
      const root = rootFrom(leaf, position, head.size, path);
      return root?.toString('hex') === head.root_hash;
    })
  );
}

/** RFC 9162, 2.1.3.2, which says it more plainly than RFC 6962 does. Undefined where the path cannot lead to a root. */
function rootFrom(leaf: Buffer, position: number, size: number, path: readonly string[]): Buffer | undefined {
  let [at, last, root] = [position, size - 1, leaf];
  if (position < 0 || position > last) return undefined;
  for (const step of path) {
    if (last === 0) return undefined;
    const sibling = Buffer.from(step, 'hex');
    if (at % 2 === 1 || at === last) {
      root = hash(INNER, sibling, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [halved(at), halved(last)];
    } else {
      root = hash(INNER, root, sibling);
    }
    [at, last] = [halved(at), halved(last)];
  }
  return last === 0 ? root : undefined;
}

const INNER = Buffer.from([1]);
/** No shift: a journal may have more transactions than 32 bits count. */
const halved = (number: number) => Math.floor(number / 2);

function hash(...parts: Buffer[]): Buffer {
  const sha256 = createHash('sha256');
  for (const part of parts) sha256.update(part);
  return sha256.digest();
}
