import { describe, expect, it } from 'vitest';
import { UsageError } from './exit.ts';
import { moneyOf } from './money.ts';

const money = moneyOf({ EUR: 2, JPY: 0, KWD: 3 });

describe('amounts', () => {
  it.each([
    ['12.50', 'EUR', 1_250, '12.50 EUR'],
    ['12.5', 'EUR', 1_250, '12.50 EUR'],
    ['12', 'EUR', 1_200, '12.00 EUR'],
    ['0.01', 'EUR', 1, '0.01 EUR'],
    ['1250', 'JPY', 1_250, '1250 JPY'],
    ['1.005', 'KWD', 1_005, '1.005 KWD'],
    ['90071992547409.91', 'EUR', Number.MAX_SAFE_INTEGER, '90071992547409.91 EUR'],
  ])('%s %s is %i minor units, shown as %s', (text, currency, minor, shown) => {
    expect(money.parse(text, currency)).toBe(minor);
    expect(money.show(minor, currency)).toBe(shown);
  });

  it.each([
    ['12.505', 'EUR'],
    ['12.0', 'JPY'],
    ['-1', 'EUR'],
    ['1e3', 'EUR'],
    ['1,50', 'EUR'],
    ['', 'EUR'],
    ['90071992547409.92', 'EUR'],
    ['1', 'XXX'],
  ])('refuses %s %s', (text, currency) => {
    expect(() => money.parse(text, currency)).toThrow(UsageError);
  });

  it('shows a balance below zero', () => {
    expect(money.show(-5, 'EUR')).toBe('-0.05 EUR');
  });
});
