/** The hashes of the seal: leaves and nodes of the Merkle tree (RFC 6962, SHA-256), and heads. */
import { createHash } from 'node:crypto';

export const HASH_BYTES = 32;

/** Leaves and nodes are hashed with different first bytes, so that neither can pass for the other. */
const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);
const HEAD_LAYOUT = Buffer.from('payflowx.ledger.head.v1', 'utf8');

export function leafHash(bytes: Buffer): Buffer {
  return sha256(LEAF, bytes);
}

export interface HeadContent {
  previousHeadHash: Buffer;
  size: number;
  rootHash: Buffer;
}

/** Covers the previous head, the size and the root. */
export function headHash({ previousHeadHash, size, rootHash }: HeadContent): Buffer {
  const sizeBytes = Buffer.alloc(8);
  sizeBytes.writeBigUInt64BE(BigInt(size));
  return sha256(HEAD_LAYOUT, Buffer.from([previousHeadHash.length]), previousHeadHash, sizeBytes, rootHash);
}

interface AuditPath {
  position: number;
  size: number;
  path: readonly Buffer[];
}

/**
 * Computes the root from a leaf and its audit path (RFC 9162, section 2.1.3.2). Undefined if no path from this position in a
 * tree of this size has this length. So with a known size, the root proves the position too.
 */
export function rootFromPath(leaf: Buffer, { position, size, path }: AuditPath): Buffer | undefined {
  let [node, last, current] = [position, size - 1, leaf];
  if (position > last) return undefined;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      current = sha256(NODE, sibling, current);
      // On the right edge a node without a sibling moves up unchanged.
      while (node % 2 === 0 && node !== 0) [node, last] = [halved(node), halved(last)];
    } else {
      current = sha256(NODE, current, sibling);
    }
    [node, last] = [halved(node), halved(last)];
  }
  return last === 0 ? current : undefined;
}

/** No bit shift, because a journal may have more than 2^32 transactions. */
const halved = (count: number) => Math.floor(count / 2);

function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
