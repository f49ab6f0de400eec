/**
 * Compares the journal with its seal: hashes every leaf again from the journal, grows the tree again from these hashes, and
 * compares each head with it. Pure: it receives leaves and heads in the order of the seal and reports the first fault.
 */
import { canonicalBytes } from './canonical-bytes.ts';
import type { JournalTransaction } from './journal.ts';
import { growingTree, leafHash } from './merkle-tree.ts';
import { headHash, type SealedHead } from './sealed-head.ts';

/** A row of the seal, and its transaction in the journal. */
export interface SealedLeaf {
  position: number;
  transactionId: string;
  leafHash: Buffer;
  subtreeHashes: Buffer;
  /** Undefined if the journal no longer has it. */
  transaction: JournalTransaction | undefined;
  /** True if all its postings have exactly the transaction's time. */
  timesAgree: boolean;
}

export type SealFault =
  /** The transaction, or its row in the seal, at this position. */
  | { kind: 'removed' | 'changed' | 'retimed'; position: number }
  /** At one of the positions, journal and seal were replaced together; the tree above them was not. */
  | { kind: 'replaced'; position: number; lastPosition: number }
  /** Only the stored hashes of subtrees beside the leaf were changed. */
  | { kind: 'subtree'; position: number }
  /** The seal has no row at this position. */
  | { kind: 'missing'; position: number }
  /**
   * The head of this size does not commit to these leaves or not to the head before it. The position is the first one that it
   * added.
   */
  | { kind: 'head'; position: number; size: number };

export interface SealChecker {
  /** The number of correct leaves so far. */
  readonly size: number;
  leaf(leaf: SealedLeaf): SealFault | undefined;
  head(head: SealedHead): SealFault | undefined;
}

export function sealChecker(): SealChecker {
  const tree = growingTree();
  let previous: Pick<SealedHead, 'size' | 'headHash'> = { size: 0, headHash: Buffer.alloc(0) };
  // Set if the tree differs from the subtrees stored with the leaves. The next head shows which of the two was replaced.
  let doubt: { position: number; level: number } | undefined;

  /** Reports the earlier one of two faults. */
  function first(fault: SealFault): SealFault {
    return doubt ? replacedBelow(doubt) : fault;
  }

  return {
    get size() {
      return tree.size;
    },
    leaf(leaf) {
      const position = tree.size;
      if (leaf.position !== position) return first({ kind: 'missing', position });
      if (!leaf.transaction) return first({ kind: 'removed', position });
      const hash = leafHash(canonicalBytes(leaf.transaction));
      if (!hash.equals(leaf.leafHash)) return first({ kind: 'changed', position });
      if (!leaf.timesAgree) return first({ kind: 'retimed', position });
      const level = firstDifference(tree.append(hash), leaf.subtreeHashes);
      if (level !== undefined) doubt ??= { position, level };
      return undefined;
    },
    head(head) {
      const position = previous.size;
      const sameTree = tree.size === head.size && tree.root().equals(head.rootHash);
      const chained = head.previousHeadHash.equals(previous.headHash) && headHash(head).equals(head.headHash);
      if (!sameTree || !chained) return first({ kind: 'head', position, size: head.size });
      if (doubt) return { kind: 'subtree', position: doubt.position };
      previous = head;
      return undefined;
    },
  };
}

/** The leaves of the smallest subtree that differs. */
function replacedBelow({ position, level }: { position: number; level: number }): SealFault {
  return { kind: 'replaced', position: position + 1 - 2 ** level, lastPosition: position };
}

const HASH_BYTES = 32;

/** Returns the level of the smallest subtree whose hash differs from the stored one; undefined if all are equal. */
function firstDifference(hashes: readonly Buffer[], stored: Buffer): number | undefined {
  const index = hashes.findIndex(
    (hash, at) => !hash.equals(stored.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
  );
  if (index >= 0) return index + 1;
  return stored.length === hashes.length * HASH_BYTES ? undefined : hashes.length;
}
