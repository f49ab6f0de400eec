import { expect, it } from 'vitest';
import { NOTIFIED_EVENTS } from './events.ts';
import { DEFAULT_PREFERENCES, eventsWithout, mutedOf, wants } from './preferences.ts';

it('a user who chose nothing gets everything, in every channel', () => {
  for (const type of NOTIFIED_EVENTS)
    expect([wants(DEFAULT_PREFERENCES, 'inbox', type), wants(DEFAULT_PREFERENCES, 'mail', type)]).toEqual([
      true,
      true,
    ]);
  expect(mutedOf(DEFAULT_PREFERENCES)).toEqual([]);
});

it('a channel that is off is off for every event, and an event only where it is off', () => {
  const events = eventsWithout(['payment.captured:mail']);
  const both = { ...DEFAULT_PREFERENCES, events };
  const noMail = { ...DEFAULT_PREFERENCES, channels: { inbox: true, mail: false } };
  expect(wants(both, 'mail', 'payment.captured')).toBe(false);
  expect(wants(both, 'inbox', 'payment.captured')).toBe(true);
  expect(wants(both, 'mail', 'payment.completed')).toBe(true);
  expect(wants(noMail, 'mail', 'payment.completed')).toBe(false);
  expect(wants(noMail, 'inbox', 'payment.completed')).toBe(true);
});

it('the stored form keeps a choice, and ignores events that are not known any more', () => {
  const muted = ['payment.captured:mail', 'payment.refunded:inbox', 'payment.refunded:mail'];
  const events = eventsWithout([...muted, 'payment.abolished:mail']);
  expect(mutedOf({ ...DEFAULT_PREFERENCES, events })).toEqual(muted);
});
