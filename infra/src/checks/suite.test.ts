import { describe, expect, it } from 'vitest';
import { capture } from '../run.ts';
import { endOnSilence, failuresOf } from './suite.ts';

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

describe('a program that says nothing', () => {
  it('is ended after the time, and what it had said before is kept', async () => {
    const silence = endOnSilence(3_000);
    const program = ['node', '-e', "console.log('begun'); setTimeout(() => {}, 60_000)"];
    const outcome = await capture(program, { signal: silence.signal, killSignal: 'SIGKILL' }, silence.heard);
    expect(outcome.code).not.toBe(0);
    expect(outcome.output).toMatch(/^begun\n.*so it was ended\.$/);
  });

  it('is not ended while it says something', async () => {
    const silence = endOnSilence(3_000);
    const program = [
      'node',
      '-e',
      'let n = 0; setInterval(() => { console.log(n); if (++n === 8) process.exit(); }, 500)',
    ];
    expect(await capture(program, { signal: silence.signal }, silence.heard)).toMatchObject({ code: 0 });
    silence.stop();
  });
});
