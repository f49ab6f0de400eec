import { describe, expect, it } from 'vitest';
import { PaymentError } from './errors.ts';
import { NO_NOTES } from './operation.ts';
import { toCancelTerms, toCaptureTerms, toRefundTerms } from './operation-request.ts';

const requestId = 'key-1';
const reason = 'broken';

describe('a request for', () => {
  it.each([
    ['all that is held', {}, { amountMinor: undefined, final: true }],
    ['all, but not final', { final: false }, { amountMinor: undefined, final: false }],
    ['a part', { amountMinor: 5n }, { amountMinor: 5n, final: false }],
    ['the last part', { amountMinor: 5n, final: true }, { amountMinor: 5n, final: true }],
  ])('a capture of %s', (_, given, terms) => {
    expect(toCaptureTerms({ requestId, ...NO_NOTES, ...given })).toEqual({
      kind: 'CAPTURE',
      reason: '',
      notes: NO_NOTES,
      ...terms,
    });
  });

  it('a cancel has no amount', () => {
    const terms = { kind: 'CANCEL', amountMinor: undefined, final: false, reason: '', notes: NO_NOTES };
    expect(toCancelTerms({ requestId })).toEqual(terms);
  });

  it('a refund has its reason and its notes', () => {
    const notes = { reference: 'return-17', metadata: { order: '4711' } };
    const terms = { kind: 'REFUND', amountMinor: 5n, final: false, reason, notes };
    expect(toRefundTerms({ requestId, amountMinor: 5n, reason, ...notes })).toEqual(terms);
    expect(toRefundTerms({ requestId, reason, ...notes })).toEqual({ ...terms, amountMinor: undefined });
  });

  it.each<[string, () => unknown]>([
    ['a capture', () => toCaptureTerms({ requestId: '', ...NO_NOTES })],
    ['a cancel', () => toCancelTerms({ requestId: '' })],
    ['a refund', () => toRefundTerms({ requestId: '', reason, ...NO_NOTES })],
  ])('%s needs a key', (_, request) => {
    expect(request).toThrow(
      new PaymentError('IDEMPOTENCY_KEY_REQUIRED', 'A request that moves money needs an idempotency key.'),
    );
  });

  const AMOUNT = { field: 'amount_minor', description: 'must be from 1 to 9007199254740991' };
  const KEY = { field: 'request_id', description: 'must be 1 to 255 visible ASCII characters' };
  const REASON = { field: 'reason', description: 'must be at most 500 characters' };
  const REFERENCE = { field: 'reference', description: 'must be at most 100 characters' };
  const LONG = { reference: 'r'.repeat(101), metadata: {} };
  it.each<[string, () => unknown, object[]]>([
    ['a capture of nothing', () => toCaptureTerms({ requestId, amountMinor: 0n, ...NO_NOTES }), [AMOUNT]],
    ['a cancel with a bad key', () => toCancelTerms({ requestId: 'a b' }), [KEY]],
    [
      'a refund of less than nothing',
      () => toRefundTerms({ requestId, amountMinor: -1n, reason, ...NO_NOTES }),
      [AMOUNT],
    ],
    [
      'a refund with everything wrong',
      () => toRefundTerms({ requestId: 'ü', amountMinor: 2n ** 53n, reason: 'r'.repeat(501), ...LONG }),
      [KEY, AMOUNT, REASON, REFERENCE],
    ],
  ])('%s is refused with its fields', (_, request, violations) => {
    expect(request).toThrow(expect.objectContaining({ reason: 'INVALID_ARGUMENT', violations }));
  });
});

it('metadata is kept in the order of its column: by length, then by bytes', () => {
  const metadata = { bb: '1', a: '2', ccc: '3', aa: '4', é: '5', Z: '6' };
  const { notes } = toCaptureTerms({ requestId, reference: '', metadata });
  // "é" is one character of two bytes.
  expect(Object.keys(notes.metadata)).toEqual(['Z', 'a', 'aa', 'bb', 'é', 'ccc']);
  expect(notes.metadata).toEqual(metadata);
});
