/** The steps of passkeys: begun, confirmed and used. Each runs in the transaction of its second factor. */
import type { Transaction } from 'kysely';
import {
  checkAuthentication,
  checkRegistration,
  creationOptions,
  type PasskeyFault,
  type PasskeyPolicy,
  type readAuthentication,
  type readRegistration,
  requestOptions,
} from '../domain/passkey.ts';
import { CHALLENGE_LIFETIME_MS, hashChallenge, newChallenge } from '../domain/second-factor.ts';
import type { Database } from '../store/database.ts';
import {
  deleteRegistration,
  findRegistration,
  insertPasskey,
  insertRegistration,
  listPasskeys,
  updatePasskey,
} from '../store/passkeys.ts';

/** Returns the options for the browser, as JSON. */
export async function beginPasskey(
  trx: Transaction<Database>,
  policy: PasskeyPolicy,
  { factorId, user, now }: { factorId: string; user: { id: string; username: string }; now: Date },
): Promise<string> {
  const challenge = newChallenge();
  const expiresAt = new Date(now.getTime() + CHALLENGE_LIFETIME_MS);
  await insertRegistration(trx, { factorId, challengeHash: hashChallenge(challenge), expiresAt });
  const known = await listPasskeys(trx, user.id);
  return JSON.stringify(await creationOptions(policy, user, { challenge, known }));
}

/** Stores the passkey, once for each `beginPasskey`. Returns why it is refused; undefined if it is stored. */
export async function storePasskey(
  trx: Transaction<Database>,
  policy: PasskeyPolicy,
  { factorId, response, now }: { factorId: string; response: ReturnType<typeof readRegistration>; now: Date },
): Promise<PasskeyFault | undefined> {
  const challengeHash = await findRegistration(trx, factorId, now);
  if (!challengeHash) return 'REGISTRATION_ENDED';
  const checked = await checkRegistration({ policy, challengeHash }, response);
  if ('fault' in checked) return checked.fault;
  if (!(await insertPasskey(trx, { ...checked.passkey, factorId }))) return 'PASSKEY_TAKEN';
  await deleteRegistration(trx, factorId);
  return undefined;
}

/** Returns the options of a login for the browser, as JSON. Undefined if the user has no passkey. */
export async function askForPasskey(
  trx: Transaction<Database>,
  policy: PasskeyPolicy,
  { userId, challenge }: { userId: string; challenge: string },
): Promise<string | undefined> {
  const known = await listPasskeys(trx, userId);
  if (known.length === 0) return undefined;
  return JSON.stringify(await requestOptions(policy, { challenge, known }));
}

/** Stores the use of a passkey. Returns why it is refused; undefined if it was right. */
export async function usePasskey(
  trx: Transaction<Database>,
  policy: PasskeyPolicy,
  use: { userId: string; challenge: string; response: ReturnType<typeof readAuthentication>; now: Date },
): Promise<PasskeyFault | undefined> {
  const { userId, challenge, response, now } = use;
  const known = await listPasskeys(trx, userId);
  const passkey = known.find(({ credentialId }) => credentialId === response.id);
  if (!passkey) return 'PASSKEY_UNKNOWN';
  const challengeHash = hashChallenge(challenge);
  const checked = await checkAuthentication({ policy, challengeHash }, passkey, response);
  if ('fault' in checked) return checked.fault;
  await updatePasskey(trx, passkey.factorId, { ...checked.used, usedAt: now });
  return undefined;
}
