import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withLock } from './lock.ts';

const newLock = () => join(mkdtempSync(join(tmpdir(), 'lock-')), 'lock');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ignore = () => undefined;

it('runs one piece of work after the other', async () => {
  const lock = newLock();
  const steps: string[] = [];
  const work = (name: string) =>
    withLock(lock, ignore, async () => {
      steps.push(`${name} begins`);
      await pause(50);
      steps.push(`${name} ends`);
    });
  await Promise.all([work('a'), work('b')]);
  const [first = ''] = steps;
  expect(steps[1]).toBe(first.replace('begins', 'ends'));
});

it('is free again after failed work', async () => {
  const lock = newLock();
  await expect(withLock(lock, ignore, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(withLock(lock, ignore, async () => 'done')).resolves.toBe('done');
});
