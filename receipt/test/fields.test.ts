import { describe, expect, it } from 'vitest';
import { hashAt, hexAt, listAt, objectAt, textAt, wholeNumberAt } from '../src/fields.ts';
import { headHash } from '../src/hashes.ts';
import { requireTrustedHead } from '../src/head.ts';
import { requireSameFields } from '../src/readable-fields.ts';
import { ReceiptRefused } from '../src/refusal.ts';

const HASH = 'ab'.repeat(32);

describe('a field', () => {
  it.each<[string, (value: unknown, where: string) => unknown, unknown[], string]>([
    ['object', objectAt, [undefined, null, [], 'x', 1], 'is missing or not an object.'],
    ['list', listAt, [undefined, null, {}, { length: 0 }, 'x'], 'is missing or not a list.'],
    ['text', textAt, [undefined, null, '', 1, ['x']], 'is missing, empty or not a text.'],
    [
      'number',
      wholeNumberAt,
      [undefined, '1', -1, 1.5, 2 ** 53, Number.NaN],
      'is missing or not a whole number.',
    ],
    [
      'hex',
      hexAt,
      [undefined, 1, 'a', 'AB', 'abx', 'xab', 'ab cd', ['ab']],
      'is missing or not in lower-case hex.',
    ],
    ['hash', hashAt, ['', 'ab', `${HASH}ab`], 'is not a SHA-256.'],
  ])('that is no %s is refused with its name', (_, read, values, message) => {
    for (const value of values) {
      expect(() => read(value, 'here'), String(value)).toThrow(new ReceiptRefused(`here ${message}`));
    }
  });

  it('is read as it is', () => {
    const [object, list] = [{}, [1]];
    expect([objectAt(object, ''), listAt(list, '')]).toEqual([object, list]);
    expect([textAt('x', ''), wholeNumberAt(0, ''), wholeNumberAt(2 ** 53 - 1, '')]).toEqual([
      'x',
      0,
      2 ** 53 - 1,
    ]);
    expect([hexAt('', ''), hexAt('00ff', '')]).toEqual([Buffer.alloc(0), Buffer.from([0, 255])]);
    expect(hashAt(HASH, '')).toEqual(Buffer.from(HASH, 'hex'));
    expect(new ReceiptRefused('x').name).toBe('ReceiptRefused');
  });
});

/** A head whose hash is right, after these changes. */
function headWith(change: { size?: number; root_hash?: string; previous_head_hash?: string } = {}) {
  const head = {
    size: 3,
    root_hash: HASH,
    previous_head_hash: '',
    sealed_at: '2026-01-01T00:00:00Z',
    ...change,
  };
  const content = {
    size: head.size,
    rootHash: Buffer.from(head.root_hash, 'hex'),
    previousHeadHash: Buffer.from(head.previous_head_hash, 'hex'),
  };
  return { ...head, head_hash: headHash(content).toString('hex') };
}

describe('the head of a receipt', () => {
  const head = headWith();
  const where = 'the receipt’s head';

  it('is trusted by itself, by its hash, and by its size and root', () => {
    const later = headWith({ previous_head_hash: HASH });
    for (const claimed of [head, later]) {
      const { size, root_hash, head_hash } = claimed;
      for (const trusted of [claimed, head_hash, { size, root_hash }]) {
        expect(requireTrustedHead(claimed, trusted)).toMatchObject({
          size: 3,
          rootHash: Buffer.from(HASH, 'hex'),
        });
      }
    }
  });

  it.each<[object | undefined, string]>([
    [undefined, `${where} is missing or not an object.`],
    [{ ...head, size: -1 }, `${where}: size is missing or not a whole number.`],
    [{ ...head, root_hash: 'x' }, `${where}: root_hash is missing or not in lower-case hex.`],
    [{ ...head, previous_head_hash: 1 }, `${where}: previous_head_hash is missing or not in lower-case hex.`],
    [headWith({ previous_head_hash: 'ab' }), `${where}: previous_head_hash is not a hash.`],
    [{ ...head, head_hash: 'ab' }, `${where}: head_hash is not a SHA-256.`],
    [
      { ...head, head_hash: HASH },
      `In ${where}, head_hash is not the hash of size, root_hash and previous_head_hash.`,
    ],
  ])('is refused: %o', (claimed, message) => {
    expect(() => requireTrustedHead(claimed, head)).toThrow(new ReceiptRefused(message));
  });

  it.each<[Parameters<typeof requireTrustedHead>[1], string]>([
    ['ab', 'the trusted head_hash is not a SHA-256.'],
    [HASH, 'A root_hash alone does not prove the size'],
    ['cd'.repeat(32), `It was made against another head: its head_hash is ${head.head_hash}.`],
    [{ ...head, size: 4 }, 'It was made against another head: of size 3, not 4.'],
    [{ ...head, root_hash: 'cd'.repeat(32) }, `The journal of size 3 has another root: ${HASH}.`],
    [{ size: 3, root_hash: 'x' }, 'the trusted head: root_hash is missing or not in lower-case hex.'],
    [{ ...head, head_hash: 'x' }, 'It was made against another head: head_hash differs.'],
    [{ ...head, previous_head_hash: 'x' }, 'It was made against another head: previous_head_hash differs.'],
    [{ ...head, sealed_at: 'x' }, 'It was made against another head: sealed_at differs.'],
  ])('that is not the trusted one is refused: %o', (trusted, message) => {
    expect(() => requireTrustedHead(head, trusted)).toThrow(message);
    expect(() => requireTrustedHead(head, trusted)).toThrow(ReceiptRefused);
  });
});

describe('the readable fields of a transaction', () => {
  const posting = {
    number: 0,
    kind: 'hold' as const,
    debitAccount: 'acct_a',
    creditAccount: 'acct_b',
    amount: 5,
    currency: 'EUR',
  };
  const createdAt = new Date('2026-01-01T00:00:00Z');
  const sealed = {
    id: 'txn_txn_1',
    eventType: 'payment.authorized',
    paymentId: 'pay_1',
    createdAt,
    postings: [posting],
  };
  const shared = {
    transaction_id: 'txn_txn_1',
    amount: 5,
    currency: 'EUR',
    layer: 'pending',
    payment_id: 'pay_1',
    created_at: '2026-01-01T00:00:00.000Z',
  };
  const readable = {
    id: 'txn_txn_1',
    event_id: 'evt_txn_1',
    event_type: 'payment.authorized',
    payment_id: 'pay_1',
    created_at: '2026-01-01T00:00:00.000Z',
    entries: [
      { ...shared, id: 'txn_txn_1:0:debit', account_id: 'acct_a', direction: 'debit' },
      { ...shared, id: 'txn_txn_1:0:credit', account_id: 'acct_b', direction: 'credit' },
    ],
  };

  it('may be those of the sealed bytes, and more', () => {
    expect(() => requireSameFields({ ...readable, more: 1 }, sealed, 'it')).not.toThrow();
  });

  it.each<[object | undefined, string]>([
    [undefined, 'it is missing or not an object.'],
    [{ ...readable, id: null }, 'it.id says null; the sealed bytes say "txn_txn_1".'],
    [{ ...readable, entries: {} }, 'it.entries is missing or not a list.'],
    [{ ...readable, entries: [] }, 'it.entries has 0 items; the sealed bytes have 2.'],
    [
      { ...readable, entries: [readable.entries[0], { ...readable.entries[1], layer: 'posted' }] },
      'it.entries[1].layer says "posted"; the sealed bytes say "pending".',
    ],
  ])('that differ are refused: %o', (fields, message) => {
    expect(() => requireSameFields(fields, sealed as never, 'it')).toThrow(new ReceiptRefused(message));
  });

  it('of a transfer are posted', () => {
    const transfer = { ...sealed, postings: [{ ...posting, kind: 'transfer' as const }] };
    const posted = { ...readable, entries: readable.entries.map((entry) => ({ ...entry, layer: 'posted' })) };
    expect(() => requireSameFields(posted, transfer as never, 'it')).not.toThrow();
    expect(() => requireSameFields(readable, transfer as never, 'it')).toThrow('layer says "pending"');
  });
});
