/** Each person's own choice of how to be notified. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { NotificationPreferences as PreferencesMessage } from '@payflowx/proto/notification';
import { isLanguage, LANGUAGES, type Language } from '@payflowx/proto/vocabulary';
import { type Static, Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { named, ref } from '../schemas/named.ts';

const EVENTS = [
  ...(['payment.authorized', 'payment.captured', 'payment.completed', 'payment.failed'] as const),
  ...(['payment.cancelled', 'payment.expired', 'payment.refunded'] as const),
] as const;

const closed = { additionalProperties: false };

const Channels = named(
  'NotificationChannels',
  Type.Object(
    {
      inbox: Type.Boolean({ description: 'The list of notifications.' }),
      mail: Type.Boolean({ description: 'Mails to the confirmed address.' }),
    },
    closed,
  ),
);

const LanguageCode = Type.Unsafe<Language>({
  type: 'string',
  enum: [...LANGUAGES],
  description: 'The language of notifications and mails.',
});

const eventsOf = <T>(make: (type: (typeof EVENTS)[number]) => T) =>
  Object.fromEntries(EVENTS.map((type) => [type, make(type)])) as Record<(typeof EVENTS)[number], T>;

const DESCRIPTION = 'A channel is used for an event if it is on in `channels` and in the event.';

const Preferences = named(
  'NotificationPreferences',
  Type.Object({
    channels: ref(Channels),
    events: Type.Object(
      eventsOf(() => ref(Channels)),
      { description: DESCRIPTION },
    ),
    language: LanguageCode,
  }),
);

const NewPreferences = named(
  'NewNotificationPreferences',
  Type.Object(
    {
      channels: ref(Channels),
      events: Type.Optional(
        Type.Object(
          eventsOf(() => Type.Optional(ref(Channels))),
          { ...closed, description: `${DESCRIPTION} An absent event is on.` },
        ),
      ),
      language: Type.Optional(LanguageCode),
    },
    { ...closed, description: 'Without `language`, the one that an admin set for the user is used.' },
  ),
);

export const preferenceSchemas = [Channels, Preferences, NewPreferences];

interface Options {
  preferences: Neighbours['preferences'];
}

/** People only: a machine must not turn off the mails of the user that it acts for. */
const PEOPLE = [...EVERY_ROLE, 'admin'] as const;

export const preferenceRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { preferences }) => {
  app.get('/v1/notification-preferences', {
    config: { access: PEOPLE },
    schema: {
      tags: ['notifications'],
      operationId: 'getNotificationPreferences',
      summary: 'Get your notification preferences',
      response: { 200: ref(Preferences) },
    },
    handler: async (request) => {
      const answer = await preferences.getNotificationPreferences({}, asCaller(request));
      return preferencesJson(answer.preferences);
    },
  });

  app.put('/v1/notification-preferences', {
    config: { access: PEOPLE },
    schema: {
      tags: ['notifications'],
      operationId: 'replaceNotificationPreferences',
      summary: 'Replace your notification preferences',
      description: 'They apply to later events. Mails about the security of your account are always sent.',
      body: ref(NewPreferences),
      response: { 200: ref(Preferences) },
    },
    handler: async (request) => {
      const { channels, events = {}, language = '' } = request.body;
      const choices = Object.entries(events).map(([eventType, each]) => ({ eventType, channels: each }));
      const message = { preferences: { channels, events: choices, language } };
      const answer = await preferences.replaceNotificationPreferences(message, asCaller(request));
      return preferencesJson(answer.preferences);
    },
  });
};

function preferencesJson(preferences: PreferencesMessage | undefined): Static<typeof Preferences> {
  if (!preferences) throw new Error('The response of notification has no preferences.');
  const { channels, events, language } = preferences;
  const choiceOf = (type: string) =>
    channelsJson(events.find(({ eventType }) => eventType === type)?.channels);
  return {
    channels: channelsJson(channels),
    events: eventsOf(choiceOf),
    language: isLanguage(language) ? language : 'en',
  };
}

function channelsJson(channels: PreferencesMessage['channels']): Static<typeof Channels> {
  if (!channels) throw new Error('The response of notification has no channels.');
  return { inbox: channels.inbox, mail: channels.mail };
}
