/**
 * Holds the journal against its seal: every leaf hashed anew from the journal, the tree grown anew from these, each head compared
 * with it. Pure: it is fed leaf by leaf and head by head, in the order of the seal, and says what is wrong first.
 */
import { canonicalBytes } from './canonical-bytes.ts';
import type { JournalTransaction } from './journal.ts';
import { growingTree, leafHash } from './merkle-tree.ts';
import { headHash, type SealedHead } from './sealed-head.ts';

/** A row of the seal, and what the journal has for it. */
export interface SealedLeaf {
  position: number;
  transactionId: string;
  leafHash: Buffer;
  subtreeHashes: Buffer;
  /** Undefined if the journal does not have it any more. */
  transaction: JournalTransaction | undefined;
  /** Whether its postings bear the transaction's time, to the last digit. */
  timesAgree: boolean;
}

export type SealFault =
  /** The transaction, or its row in the seal, at this position. */
  | { kind: 'removed' | 'changed' | 'retimed'; position: number }
  /** Journal and seal were replaced alike at one of the positions; the tree above them was not. */
  | { kind: 'replaced'; position: number; lastPosition: number }
  /** Only the hashes of subtrees beside it are not as they were. */
  | { kind: 'subtree'; position: number }
  /** The seal has no row at this position. */
  | { kind: 'missing'; position: number }
  /** The head of this size does not commit to these leaves, or not to the head before; the position is the first that it added. */
  | { kind: 'head'; position: number; size: number };

export interface SealChecker {
  /** How many leaves were right so far. */
  readonly size: number;
  leaf(leaf: SealedLeaf): SealFault | undefined;
  head(head: SealedHead): SealFault | undefined;
}

export function sealChecker(): SealChecker {
  const tree = growingTree();
  let previous: Pick<SealedHead, 'size' | 'headHash'> = { size: 0, headHash: Buffer.alloc(0) };
  // A tree that does not agree with the subtrees kept beside the leaves: the next head says which of the two was replaced.
  let doubt: { position: number; level: number } | undefined;

  /** Of two faults the earlier one comes first. */
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

/** The leaves of the subtree that differs; those of the smaller ones in it did not. */
function replacedBelow({ position, level }: { position: number; level: number }): SealFault {
  return { kind: 'replaced', position: position + 1 - 2 ** level, lastPosition: position };
}

const HASH_BYTES = 32;

/** The level of the smallest subtree whose hash is not the kept one; undefined if all are the same. */
function firstDifference(hashes: readonly Buffer[], kept: Buffer): number | undefined {
  const index = hashes.findIndex(
    (hash, at) => !hash.equals(kept.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
  );
  if (index >= 0) return index + 1;
  return kept.length === hashes.length * HASH_BYTES ? undefined : hashes.length;
}
