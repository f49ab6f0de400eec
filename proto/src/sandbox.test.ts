import { describe, expect, it } from 'vitest';
import { DECLINES } from './declines.ts';
import { isMagic, PLAYED_DECLINES, readMagicReference } from './sandbox.ts';

describe('a magic reference', () => {
  it.each([
    ['sandbox:decline:INSUFFICIENT_BALANCE', { kind: 'decline', code: 'INSUFFICIENT_BALANCE' }],
    ['sandbox:unknown:1', { kind: 'unknown', seconds: 1 }],
    ['sandbox:unknown:60', { kind: 'unknown', seconds: 60 }],
    ['sandbox:status:503', { kind: 'status', status: 503 }],
    ['sandbox:status:429', { kind: 'status', status: 429 }],
    ['sandbox:slow:30000', { kind: 'slow', ms: 30_000 }],
    ['sandbox:webhook:fail:2', { kind: 'webhook', failedAttempts: 2 }],
  ])('%s', (reference, expected) => {
    expect(readMagicReference(reference)).toEqual(expected);
  });

  it('declines with every code that a new payment may have', () => {
    const steps = ['HOLD_NOT_OPEN', 'CAPTURE_EXCEEDS_HOLD', 'HOLD_NOT_EXPIRED'];
    expect([...PLAYED_DECLINES, ...steps].toSorted()).toEqual(Object.keys(DECLINES).toSorted());
    for (const code of PLAYED_DECLINES) {
      expect(readMagicReference(`sandbox:decline:${code}`)).toEqual({ kind: 'decline', code });
    }
  });

  it.each([
    '',
    'order-4711',
    'Sandbox:status:503',
    ' sandbox:status:503',
    'sandbox:',
    'sandbox:status:500',
    'sandbox:status:503 ',
    'sandbox:decline:',
    'sandbox:decline:constructor',
    'sandbox:decline:HOLD_NOT_OPEN',
    'sandbox:unknown:0',
    'sandbox:unknown:61',
    'sandbox:unknown:1.5',
    'sandbox:unknown:0x1',
    'sandbox:slow:30001',
    'sandbox:slow:99999999999999999999',
    'sandbox:webhook:fail:6',
    'sandbox:webhook:2',
  ])('is not %j', (reference) => {
    expect(readMagicReference(reference)).toBeUndefined();
  });

  it('is looked for only behind its prefix', () => {
    expect(isMagic('sandbox:anything')).toBe(true);
    expect(isMagic('sandbox')).toBe(false);
    expect(isMagic('x sandbox:status:503')).toBe(false);
  });
});
