/** The head that a receipt was made against, and the head that the verifier trusts. */
import { hashAt, hexAt, objectAt, wholeNumberAt } from './fields.ts';
import { HASH_BYTES, headHash } from './hashes.ts';
import { ReceiptRefused } from './refusal.ts';

/**
 * A head that the verifier kept or that was published: the JSON of `GET /v1/ledger/head`, or only its `size` and `root_hash`, or
 * its `head_hash` in hex. A root hash alone is not enough: it proves neither the size of the journal nor any position in it.
 */
export type TrustedHead =
  | { size: number; root_hash: string; head_hash?: string; previous_head_hash?: string; sealed_at?: string }
  | string;

export interface Head {
  size: number;
  rootHash: Buffer;
}

/** Returns the head of the receipt, which is the trusted one. Throws ReceiptRefused if it is another. */
export function requireTrustedHead(claimed: unknown, trusted: TrustedHead): Head {
  const fields = objectAt(claimed, 'the receipt’s head');
  const head = readWholeHead(fields);
  if (typeof trusted === 'string') requireHeadHash(head, trusted);
  else requireSameHead(fields, head, trusted);
  return head;
}

/** The receipt's own head names its predecessor, so its hash can be computed again. */
function readWholeHead(fields: Record<string, unknown>): Head & { headHash: Buffer } {
  const where = 'the receipt’s head';
  const size = wholeNumberAt(fields.size, `${where}: size`);
  const rootHash = hashAt(fields.root_hash, `${where}: root_hash`);
  const previousHeadHash = hexAt(fields.previous_head_hash, `${where}: previous_head_hash`);
  if (previousHeadHash.length !== 0 && previousHeadHash.length !== HASH_BYTES) {
    throw new ReceiptRefused(`${where}: previous_head_hash is not a hash.`);
  }
  const hash = hashAt(fields.head_hash, `${where}: head_hash`);
  if (headHash({ previousHeadHash, size, rootHash }).equals(hash)) return { size, rootHash, headHash: hash };
  throw new ReceiptRefused(
    `In ${where}, head_hash is not the hash of size, root_hash and previous_head_hash.`,
  );
}

/** The hash of a head covers its size and its root. */
function requireHeadHash(claimed: Head & { headHash: Buffer }, trusted: string): void {
  const hash = hashAt(trusted, 'the trusted head_hash');
  if (hash.equals(claimed.headHash)) return;
  if (hash.equals(claimed.rootHash)) {
    throw new ReceiptRefused(
      'A root_hash alone does not prove the size of the journal. Give the whole head, or its head_hash.',
    );
  }
  throw new ReceiptRefused(
    `It was made against another head: its head_hash is ${claimed.headHash.toString('hex')}.`,
  );
}

const UNPROVEN_BY_SIZE_AND_ROOT = ['head_hash', 'previous_head_hash', 'sealed_at'] as const;

function requireSameHead(
  fields: Record<string, unknown>,
  claimed: Head,
  trusted: Exclude<TrustedHead, string>,
): void {
  const head = objectAt(trusted, 'the trusted head');
  const size = wholeNumberAt(head.size, 'the trusted head: size');
  const rootHash = hashAt(head.root_hash, 'the trusted head: root_hash');
  if (size !== claimed.size) {
    throw new ReceiptRefused(
      `It was made against another head: of size ${claimed.size}, not ${size}. Verify it with the head of that size, or request a receipt with head_size=${size}.`,
    );
  }
  if (!rootHash.equals(claimed.rootHash)) {
    throw new ReceiptRefused(
      `The journal of size ${size} has another root: ${claimed.rootHash.toString('hex')}. It is not the journal of the trusted head.`,
    );
  }
  for (const name of UNPROVEN_BY_SIZE_AND_ROOT) {
    if (head[name] !== undefined && head[name] !== fields[name]) {
      throw new ReceiptRefused(`It was made against another head: ${name} differs.`);
    }
  }
}
