import { describe, expect, it } from 'vitest';
import { failuresOf } from './suite.ts';

describe('the failures of a suite', () => {
  const passed = { status: 'passed', fullName: 'adds', failureMessages: [] };

  it('are its failed tests, each with the first line of its error', () => {
    const failed = { status: 'failed', fullName: 'sums', failureMessages: ['Error: 1 is not 2\n    at sum'] };
    const file = { name: '/a/sum.test.ts', message: '', assertionResults: [passed, failed] };
    expect(failuresOf([file])).toEqual(['sums: Error: 1 is not 2']);
  });

  it('are its files whose hook failed, or that cannot be loaded', () => {
    const skipped = { status: 'skipped', fullName: 'sums', failureMessages: [] };
    const file = {
      name: '/a/sum.test.ts',
      message: 'No connection\n    at dial',
      assertionResults: [skipped],
    };
    expect(failuresOf([file])).toEqual(['sum.test.ts: No connection']);
  });

  it('are none of the files without an error', () => {
    expect(failuresOf([{ name: '/a/sum.test.ts', message: '', assertionResults: [passed] }])).toEqual([]);
  });
});
