/** Checks the whole journal against its seal and describes the first fault in words. */
import { CallError } from '@payflowx/chassis';
import type { Transaction } from 'kysely';
import { canonicalBytes } from '../domain/canonical-bytes.ts';
import { type SealChecker, type SealedLeaf, type SealFault, sealChecker } from '../domain/check-seal.ts';
import { leafHash, rootFromPath } from '../domain/merkle-tree.ts';
import type { SealedHead } from '../domain/sealed-head.ts';
import type { Database } from '../store/database.ts';
import type { JournalCounts } from '../store/proof.ts';
import {
  countWaiting,
  findRemovedUnsealed,
  findUnqueued,
  findWithoutTransaction,
  sealedHeads,
  sealedLeaves,
  transactionAt,
} from '../store/seal-check.ts';
import { findAuditPaths, findNewestHead } from '../store/seals.ts';

export interface SealCheck {
  /** The newest head. Undefined before the first one. */
  head: SealedHead | undefined;
  unsealedCount: bigint;
  /** Empty if nothing is broken, or if the id of the broken transaction is lost. */
  firstBrokenTransactionId: string;
  /** Empty if nothing is broken. */
  brokenDetail: string;
}

type Broken = Pick<SealCheck, 'firstBrokenTransactionId' | 'brokenDetail'>;

/** Throws DEADLINE_EXCEEDED when the caller's deadline has passed. */
export async function checkSeal(
  snapshot: Transaction<Database>,
  counts: JournalCounts,
  limits: { deadline: Date },
): Promise<SealCheck> {
  const waiting = await countWaiting(snapshot);
  const walk = await walkSeal(snapshot, limits);
  const broken =
    walk.broken ??
    (await findUnsealedFault(snapshot, {
      transactionCount: counts.transactionCount - BigInt(walk.checker.size) - waiting.transactionCount,
      postingCount: counts.postingCount - walk.postingCount - waiting.postingCount,
    }));
  return { head: walk.head, unsealedCount: waiting.transactionCount, ...(broken ?? NOTHING_BROKEN) };
}

const NOTHING_BROKEN: Broken = { firstBrokenTransactionId: '', brokenDetail: '' };
const DEADLINE_EVERY = 1_000;

interface Walk {
  checker: SealChecker;
  head: SealedHead | undefined;
  postingCount: bigint;
  broken: Broken | undefined;
}

/** Walks from the first leaf to the newest head, or to the first fault. */
async function walkSeal(snapshot: Transaction<Database>, { deadline }: { deadline: Date }): Promise<Walk> {
  const leaves = sealedLeaves(snapshot);
  const checker = sealChecker();
  const walk: Walk = { checker, head: undefined, postingCount: 0n, broken: undefined };
  for await (const head of sealedHeads(snapshot)) {
    while (checker.size < head.size) {
      const { value: leaf } = await leaves.next();
      const fault = leaf ? checker.leaf(leaf) : { kind: 'missing' as const, position: checker.size };
      if (fault) return { ...walk, broken: await describe(snapshot, fault, leaf ?? undefined) };
      walk.postingCount += BigInt(leaf?.transaction?.postings.length ?? 0);
      if (checker.size % DEADLINE_EVERY === 0 && Date.now() > deadline.getTime()) {
        throw new CallError(
          'DEADLINE_EXCEEDED',
          'The deadline of the call passed before the proof was complete.',
        );
      }
    }
    const fault = checker.head(head);
    if (fault) return { ...walk, broken: await describe(snapshot, fault) };
    walk.head = head;
  }
  const { value: beyond } = await leaves.next();
  if (beyond) walk.broken = brokenBeyond(beyond);
  return walk;
}

function brokenBeyond({ transactionId, position }: SealedLeaf): Broken {
  return {
    firstBrokenTransactionId: transactionId,
    brokenDetail: `It has position ${position} of the seal, beyond the newest head.`,
  };
}

async function describe(
  snapshot: Transaction<Database>,
  fault: SealFault,
  leaf?: SealedLeaf,
): Promise<Broken> {
  if (fault.kind === 'missing') return describeMissing(snapshot, fault.position);
  const detail = fault.kind === 'changed' && leaf ? await describeChange(snapshot, leaf) : wordsFor(fault);
  return {
    firstBrokenTransactionId: (await transactionAt(snapshot, fault.position)) ?? '',
    brokenDetail: `Position ${fault.position} of the seal: ${detail}`,
  };
}

function wordsFor(fault: Exclude<SealFault, { kind: 'missing' }>): string {
  switch (fault.kind) {
    case 'removed':
      return 'the transaction was removed from the journal.';
    case 'changed':
      return 'the transaction differs from what was sealed.';
    case 'retimed':
      return 'its time, or the time of its entries, differs from what was sealed.';
    case 'replaced':
      return `one of the transactions from here to position ${fault.lastPosition} was replaced, in the journal and in the seal.`;
    case 'subtree':
      return 'its row in the seal was rewritten: the hashes of the subtrees that end with it.';
    case 'head':
      return `the head of size ${fault.size}, which added it, does not commit to the journal, or not to the head before it.`;
  }
}

/** Journal and seal disagree about a leaf. The one that leads to the newest head is unchanged. */
async function describeChange(
  snapshot: Transaction<Database>,
  { position, transaction, leafHash: stored }: SealedLeaf,
): Promise<string> {
  const head = await findNewestHead(snapshot);
  const paths = head && (await findAuditPaths(snapshot, head, [position]));
  const path = paths?.get(position) ?? [];
  const leadsToHead = (leaf: Buffer) =>
    head && rootFromPath(leaf, { position, size: head.size, path })?.equals(head.rootHash);
  if (leadsToHead(stored)) return 'the transaction or one of its entries was changed after it was sealed.';
  if (transaction && leadsToHead(leafHash(canonicalBytes(transaction)))) {
    return 'its row in the seal was rewritten: the leaf hash. The transaction is as it was sealed.';
  }
  return 'the transaction differs from what was sealed, and the seal around it was rewritten too.';
}

/** The row of the seal is missing. If the journal has a transaction without a row, the row belonged to it. */
async function describeMissing(snapshot: Transaction<Database>, position: number): Promise<Broken> {
  const stray = await findUnqueued(snapshot);
  return {
    firstBrokenTransactionId: stray ?? '',
    brokenDetail:
      stray === undefined
        ? `Position ${position} of the seal: its row and its transaction were removed.`
        : `Position ${position} of the seal: the row was removed; the transaction is in the journal, unsealed and not waiting.`,
  };
}

/** The sealed part is right. All other transactions of the journal must be waiting for their seal. */
async function findUnsealedFault(
  snapshot: Transaction<Database>,
  surplus: Pick<JournalCounts, 'transactionCount' | 'postingCount'>,
): Promise<Broken | undefined> {
  const lost = await findRemovedUnsealed(snapshot);
  if (lost !== undefined) {
    return { firstBrokenTransactionId: lost, brokenDetail: 'It was removed before it was sealed.' };
  }
  if (surplus.transactionCount !== 0n) {
    return {
      firstBrokenTransactionId: (await findUnqueued(snapshot)) ?? '',
      brokenDetail:
        'It was put into the journal with superuser rights: it is neither sealed nor waiting for its seal.',
    };
  }
  if (surplus.postingCount !== 0n) {
    return {
      firstBrokenTransactionId: (await findWithoutTransaction(snapshot)) ?? '',
      brokenDetail: 'There are entries of a transaction that is not in the journal.',
    };
  }
  return undefined;
}
