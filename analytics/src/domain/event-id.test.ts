import { newId } from '@payflowx/chassis';
import { expect, it } from 'vitest';
import { firstIdAt, timeOf } from './event-id.ts';

it('finds the time of an id, and the place of a time among ids', () => {
  const id = newId('evt');
  const time = timeOf(id);
  expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
  expect(firstIdAt(time) < id).toBe(true);
  expect(firstIdAt(time + 1) > id).toBe(true);
});
