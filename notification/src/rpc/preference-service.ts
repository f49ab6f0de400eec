/** PreferenceService: each caller's own preferences. */
import { type BoundService, bindService, requireCaller } from '@payflowx/chassis';
import type { Violation } from '@payflowx/chassis/errors';
import {
  type ChannelChoice,
  type NotificationPreferences,
  PreferenceServiceService,
} from '@payflowx/proto/notification';
import { isLanguage, LANGUAGES } from '@payflowx/proto/vocabulary';
import type { Kysely } from 'kysely';
import { type ChosenPreferences, getPreferences, replacePreferences } from '../app/choose-preferences.ts';
import { NotificationError } from '../domain/errors.ts';
import { NOTIFIED_EVENTS, type NotifiedEvent } from '../domain/events.ts';
import { DEFAULT_PREFERENCES, type PerChannel, type Preferences } from '../domain/preferences.ts';
import type { Database } from '../store/database.ts';
import { preferenceAccess } from './access.ts';
import { errors } from './errors.ts';

export function preferenceService(deps: { db: Kysely<Database> }): BoundService {
  return bindService(PreferenceServiceService, {
    access: preferenceAccess,
    errors,
    handlers: {
      async getNotificationPreferences(_, call) {
        return { preferences: toMessage(await getPreferences(deps, requireCaller(call).id)) };
      },
      async replaceNotificationPreferences({ preferences }, call) {
        const chosen = await replacePreferences(deps, requireCaller(call).id, fromMessage(preferences));
        return { preferences: toMessage(chosen) };
      },
    },
  });
}

function toMessage({ preferences, language }: ChosenPreferences): NotificationPreferences {
  const { channels, events } = preferences;
  const choices = NOTIFIED_EVENTS.map((eventType) => ({ eventType, channels: events[eventType] }));
  return { channels, events: choices, language };
}

/** Throws INVALID_ARGUMENT with all violations. */
function fromMessage(message: NotificationPreferences | undefined): Preferences {
  const { channels, events = [], language = '' } = message ?? {};
  const violations: Violation[] = [];
  const refuse = (field: string, description: string) =>
    violations.push({ field: `preferences.${field}`, description });
  if (!channels) refuse('channels', 'must be set');
  if (language !== '' && !isLanguage(language)) refuse('language', `must be one of ${LANGUAGES.join(', ')}`);
  const chosen: Partial<Record<NotifiedEvent, PerChannel>> = {};
  events.forEach(({ eventType, channels: choice }, index) => {
    if (!isNotified(eventType))
      refuse(`events.${index}.event_type`, `must be one of ${NOTIFIED_EVENTS.join(', ')}`);
    else if (chosen[eventType]) refuse(`events.${index}.event_type`, 'must not be there twice');
    else if (!choice) refuse(`events.${index}.channels`, 'must be set');
    else chosen[eventType] = perChannel(choice);
  });
  if (violations.length > 0 || !channels) {
    const text = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
    throw new NotificationError('INVALID_ARGUMENT', `${text}.`, { violations });
  }
  return {
    channels: perChannel(channels),
    events: { ...DEFAULT_PREFERENCES.events, ...chosen },
    language: isLanguage(language) ? language : undefined,
  };
}

function isNotified(type: string): type is NotifiedEvent {
  return (NOTIFIED_EVENTS as readonly string[]).includes(type);
}

function perChannel({ inbox, mail }: ChannelChoice): PerChannel {
  return { inbox, mail };
}
