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

it('reads the first 48 bits of the id', () => {
  expect(timeOf('evt_0198c5b2-7a30-7c41-9d52-0123456789ab')).toBe(0x0198c5b27a30);
  expect(firstIdAt(0x0198c5b27a30)).toBe('evt_0198c5b2-7a30');
  expect(firstIdAt(1)).toBe('evt_00000000-0001');
});
