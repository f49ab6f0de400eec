/** A head commits to all leaves up to its size and, through the hash of the head before it, to all earlier heads. */
import { hash } from 'node:crypto';

export interface SealedHead {
  /** The number of transactions that it commits to. */
  size: number;
  rootHash: Buffer;
  headHash: Buffer;
  /** Empty for the first head. */
  previousHeadHash: Buffer;
  sealedAt: Date;
}

const LAYOUT = Buffer.from('payflowx.ledger.head.v1', 'utf8');

/** SHA-256 over the layout's name, the length of the previous head's hash (1 byte) and that hash, the size (8 bytes, big-endian) and the root. */
export function headHash({
  previousHeadHash,
  size,
  rootHash,
}: Pick<SealedHead, 'previousHeadHash' | 'size' | 'rootHash'>): Buffer {
  const length = Buffer.from([previousHeadHash.length]);
  const sizeBytes = Buffer.alloc(8);
  sizeBytes.writeBigUInt64BE(BigInt(size));
  return hash('sha256', Buffer.concat([LAYOUT, length, previousHeadHash, sizeBytes, rootHash]), 'buffer');
}
