/** Reads and replaces the preferences of a user. */
import type { Kysely } from 'kysely';
import type { Preferences } from '../domain/preferences.ts';
import { findRecipient, type Recipient, savePreferences } from '../store/contacts.ts';
import type { Database } from '../store/database.ts';

interface Deps {
  db: Kysely<Database>;
}

/** The language is the one in use, whether the user or an admin chose it. */
export type ChosenPreferences = Pick<Recipient, 'preferences' | 'language'>;

export function getPreferences({ db }: Deps, userId: string): Promise<ChosenPreferences> {
  return findRecipient(db, userId);
}

export async function replacePreferences(
  { db }: Deps,
  userId: string,
  preferences: Preferences,
): Promise<ChosenPreferences> {
  await savePreferences(db, userId, preferences);
  return findRecipient(db, userId);
}
