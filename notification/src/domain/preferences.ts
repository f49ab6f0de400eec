/** A user's choice of channels and events. Pure. */

import type { Language } from '@payflowx/proto/vocabulary';
import { NOTIFIED_EVENTS, type NotifiedEvent } from './events.ts';

export const CHANNELS = ['inbox', 'mail'] as const;
export type Channel = (typeof CHANNELS)[number];

export type PerChannel = Readonly<Record<Channel, boolean>>;

export interface Preferences {
  /** A channel that is off is off for every event. */
  channels: PerChannel;
  events: Readonly<Record<NotifiedEvent, PerChannel>>;
  /** Undefined: the language that operators set for the user. */
  language: Language | undefined;
}

const ALL_ON: PerChannel = { inbox: true, mail: true };

/** The preferences of a user who chose nothing: all on. */
export const DEFAULT_PREFERENCES: Preferences = {
  channels: ALL_ON,
  events: Object.fromEntries(NOTIFIED_EVENTS.map((type) => [type, ALL_ON])) as Preferences['events'],
  language: undefined,
};

export function wants({ channels, events }: Preferences, channel: Channel, type: NotifiedEvent): boolean {
  return channels[channel] && events[type][channel];
}

/** The pairs `payment.completed:mail` that are off: the compact form in which the events are stored. */
export function mutedOf({ events }: Preferences): string[] {
  return NOTIFIED_EVENTS.flatMap((type) =>
    CHANNELS.filter((channel) => !events[type][channel]).map((channel) => `${type}:${channel}`),
  );
}

/** The opposite. Pairs of an event that is not known any more are ignored; an event that is new is on. */
export function eventsWithout(muted: readonly string[]): Preferences['events'] {
  const isOn = (type: NotifiedEvent, channel: Channel) => !muted.includes(`${type}:${channel}`);
  return Object.fromEntries(
    NOTIFIED_EVENTS.map((type) => [type, { inbox: isOn(type, 'inbox'), mail: isOn(type, 'mail') }]),
  ) as Preferences['events'];
}
