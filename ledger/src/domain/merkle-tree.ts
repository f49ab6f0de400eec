/**
 * The Merkle tree of RFC 6962 (https://www.rfc-editor.org/rfc/rfc6962#section-2.1), SHA-256. It only grows, and no part of it
 * ever changes. So only its complete subtrees are stored, those with a power of two of leaves.
 */
import { hash } from 'node:crypto';

/** Leaves and nodes are hashed with different first bytes, so that neither can pass for the other. */
const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

export function leafHash(bytes: Buffer): Buffer {
  return hash('sha256', Buffer.concat([LEAF, bytes]), 'buffer');
}

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');
}

/** The complete subtree of 2^level leaves whose last leaf is at `last`. */
export interface Subtree {
  level: number;
  last: number;
}

/**
 * The complete subtrees that cover the leaves from `start` up to `end`, left to right. `start` must be a possible start of a
 * subtree larger than all of them, such as 0.
 */
export function subtreesOf(start: number, end: number): Subtree[] {
  const subtrees: Subtree[] = [];
  let at = start;
  while (at < end) {
    const level = Math.floor(Math.log2(end - at));
    at += 2 ** level;
    subtrees.push({ level, last: at - 1 });
  }
  return subtrees;
}

/** Computes the root over complete subtrees, given left to right. */
export function rootOf(hashes: readonly Buffer[]): Buffer {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** A tree that grows. It stores one hash for each complete subtree of `subtreesOf(0, size)`. */
export interface GrowingTree {
  readonly size: number;
  /** Adds a leaf and returns the hashes of the larger complete subtrees that end with it, smallest first. */
  append(leaf: Buffer): Buffer[];
  /** Needs at least one leaf. */
  root(): Buffer;
}

/** `hashes` are those of `subtreesOf(0, size)`. */
export function growingTree(initialSize = 0, hashes: readonly Buffer[] = []): GrowingTree {
  const open = [...hashes];
  let size = initialSize;
  return {
    get size() {
      return size;
    },
    append(leaf) {
      const completed: Buffer[] = [];
      let current = leaf;
      // Like a carry in binary: two subtrees of one size become one of the next size.
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
        const left = open.pop();
        if (left === undefined) throw new Error(`the tree of ${size} leaves lacks a subtree`);
        current = nodeHash(left, current);
        completed.push(current);
      }
      open.push(current);
      size += 1;
      return completed;
    },
    root: () => rootOf(open),
  };
}

/** The siblings on the path from a leaf to the root, leaf first. Each is given as its complete subtrees. */
export function auditSiblings(position: number, size: number): Subtree[][] {
  const siblings: Subtree[][] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    // The left part is the largest power of two that is smaller than the whole.
    const middle = start + 2 ** Math.ceil(Math.log2(end - start) - 1);
    if (position < middle) {
      siblings.unshift(subtreesOf(middle, end));
      end = middle;
    } else {
      siblings.unshift(subtreesOf(start, middle));
      start = middle;
    }
  }
  return siblings;
}

/**
 * Computes the root from a leaf and its audit path. Undefined if a path from this position in a tree of this size has another
 * length. The algorithm is that of RFC 9162, section 2.1.3.2.
 */
export function rootFromPath(
  leaf: Buffer,
  { position, size, path }: { position: number; size: number; path: readonly Buffer[] },
): Buffer | undefined {
  let node = position;
  let last = size - 1;
  let current = leaf;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      current = nodeHash(sibling, current);
      // On the right edge a node without a sibling moves up unchanged.
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      current = nodeHash(current, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? current : undefined;
}
