/** Reads and writes how users are reached and what they chose: the tables contacts and notification_preferences. */
import { unnest } from '@payflowx/chassis/postgres';
import { isLanguage, type Language } from '@payflowx/proto/vocabulary';
import { type Kysely, sql } from 'kysely';
import { DEFAULT_LANGUAGE } from '../domain/language.ts';
import { DEFAULT_PREFERENCES, eventsWithout, mutedOf, type Preferences } from '../domain/preferences.ts';
import type { Database } from './database.ts';

export interface Contact {
  userId: string;
  email: string | null;
  isConfirmed: boolean;
  /** A BCP 47 tag. */
  language: string | null;
  version: bigint;
}

/** A user with everything that decides about its notifications. */
export interface Recipient {
  preferences: Preferences;
  language: Language;
  /** Null if there is no confirmed address. */
  confirmedEmail: string | null;
}

/** Stores what auth announced, unless something newer is stored. */
export async function saveContact(db: Kysely<Database>, contact: Contact): Promise<void> {
  const { userId: user_id, email, isConfirmed: is_confirmed, language, version } = contact;
  await db
    .insertInto('contacts')
    .values({ user_id, email, is_confirmed, language, version })
    .onConflict((conflict) =>
      conflict
        .column('user_id')
        .doUpdateSet({ email, is_confirmed, language, version })
        .where('contacts.version', '<', version),
    )
    .execute();
}

/** Every user id has an entry: users that nothing is known of have the defaults. */
export async function findRecipients(
  db: Kysely<Database>,
  userIds: readonly string[],
): Promise<Map<string, Recipient>> {
  const ids = [...new Set(userIds)].map((user_id) => ({ user_id }));
  const { rows } = await sql<RecipientRow>`
    select r.user_id, c.email, c.is_confirmed, c.language as contact_language, p.inbox, p.mail, p.muted, p.language
    from ${unnest(ids, { user_id: 'text' })} as r
      left join contacts as c on c.user_id = r.user_id
      left join notification_preferences as p on p.user_id = r.user_id`.execute(db);
  return new Map(rows.map((row) => [row.user_id, toRecipient(row)]));
}

export async function findRecipient(db: Kysely<Database>, userId: string): Promise<Recipient> {
  const found = (await findRecipients(db, [userId])).get(userId);
  if (!found) throw new Error('A recipient is found for every id.');
  return found;
}

/** The last of two concurrent writes stays. */
export async function savePreferences(
  db: Kysely<Database>,
  userId: string,
  preferences: Preferences,
): Promise<void> {
  const values = {
    ...preferences.channels,
    muted: mutedOf(preferences),
    language: preferences.language ?? null,
  };
  await db
    .insertInto('notification_preferences')
    .values({ user_id: userId, ...values })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(values))
    .execute();
}

interface RecipientRow {
  user_id: string;
  email: string | null;
  is_confirmed: boolean | null;
  contact_language: string | null;
  /** Null if the user chose nothing. */
  inbox: boolean | null;
  mail: boolean | null;
  muted: string[] | null;
  language: string | null;
}

function toRecipient(row: RecipientRow): Recipient {
  const { inbox, mail, muted } = row;
  const chosen = languageOf(row.language);
  const preferences: Preferences =
    inbox === null || mail === null || muted === null
      ? DEFAULT_PREFERENCES
      : { channels: { inbox, mail }, events: eventsWithout(muted), language: chosen };
  return {
    preferences,
    language: chosen ?? languageOf(row.contact_language) ?? DEFAULT_LANGUAGE,
    confirmedEmail: row.is_confirmed ? row.email : null,
  };
}

/** The language of a BCP 47 tag: de-CH is German. Undefined for a language without texts. */
function languageOf(tag: string | null): Language | undefined {
  const [language = ''] = (tag ?? '').toLowerCase().split('-');
  return isLanguage(language) ? language : undefined;
}
