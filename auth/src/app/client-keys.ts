/** The keys of API clients: added, listed and removed. A client with a key needs no secret. */
import type { Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import type { AuditFact } from '../domain/audit.ts';
import { CLIENT_KEYS_MAX, type ClientKey, isSameKey, readClientKey } from '../domain/client-key.ts';
import { AuthError } from '../domain/errors.ts';
import { clientNotFound, isUserApiClientId, type UserApiClient } from '../domain/user-api-client.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import { deleteClientKey, insertClientKey, listClientKeys } from '../store/client-keys.ts';
import type { Database } from '../store/database.ts';
import { findUserApiClient, updateClientSecret } from '../store/user-api-clients.ts';
import { lockClient } from './change-api-client.ts';

interface Deps {
  db: Kysely<Database>;
  now(): Date;
}

interface Request {
  origin: Origin;
  clientId: string;
}

/** A key that the client has already stays as it is. Throws INVALID_ARGUMENT and the errors of a client that cannot get a key. */
export async function addClientKey(
  { db, now }: Deps,
  { origin, clientId, publicJwk }: Request & { publicJwk: string },
): Promise<ClientKey> {
  const wanted = readClientKey(publicJwk);
  return inTransaction(db, async (trx) => {
    const client = await lockUsableClient(trx, clientId);
    const keys = await listClientKeys(trx, clientId);
    const known = keys.find(({ kid }) => kid === wanted.kid);
    if (known) return requireSame(known, wanted);
    if (keys.length >= CLIENT_KEYS_MAX) {
      throw new AuthError(
        'TOO_MANY_CLIENT_KEYS',
        `An API client has at most ${CLIENT_KEYS_MAX} keys. Remove one first.`,
      );
    }
    const key = { ...wanted, createdAt: now() };
    await insertClientKey(trx, clientId, key);
    await record(trx, {
      origin,
      action: 'client.key_added',
      client,
      at: key.createdAt,
      details: { kid: key.kid },
    });
    return key;
  });
}

function requireSame(known: ClientKey, wanted: Pick<ClientKey, 'jwk'>): ClientKey {
  if (isSameKey(known.jwk, wanted.jwk)) return known;
  throw new AuthError('CLIENT_KEY_EXISTS', 'The API client has another key with this kid.');
}

/** Throws API_CLIENT_NOT_FOUND. */
export async function listKeysOfClient(db: Kysely<Database>, clientId: string): Promise<ClientKey[]> {
  const client = isUserApiClientId(clientId) ? await findUserApiClient(db, clientId) : undefined;
  if (!client) throw clientNotFound();
  return listClientKeys(db, clientId);
}

/** Throws API_CLIENT_NOT_FOUND, CLIENT_KEY_NOT_FOUND. */
export async function removeClientKey(
  { db, now }: Deps,
  { origin, clientId, kid }: Request & { kid: string },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const client = await lockClient(trx, clientId);
    if (!(await deleteClientKey(trx, clientId, kid))) {
      throw new AuthError('CLIENT_KEY_NOT_FOUND', 'The API client has no such key.');
    }
    await record(trx, { origin, action: 'client.key_removed', client, at: now(), details: { kid } });
  });
}

/** For a client that logs in with its key. A second call changes nothing. Throws API_CLIENT_NOT_FOUND, API_CLIENT_REVOKED, CLIENT_KEY_REQUIRED. */
export async function removeClientSecret({ db, now }: Deps, { origin, clientId }: Request): Promise<void> {
  await inTransaction(db, async (trx) => {
    const client = await lockUsableClient(trx, clientId);
    if (!client.hasSecret) return;
    if ((await listClientKeys(trx, clientId)).length === 0) {
      throw new AuthError(
        'CLIENT_KEY_REQUIRED',
        'The API client has no key yet: without its secret it could not log in.',
      );
    }
    await updateClientSecret(trx, clientId, null);
    await record(trx, { origin, action: 'client.secret_removed', client, at: now(), details: {} });
  });
}

async function lockUsableClient(trx: Transaction<Database>, clientId: string): Promise<UserApiClient> {
  const client = await lockClient(trx, clientId);
  if (client.revokedAt) throw new AuthError('API_CLIENT_REVOKED', 'This API client is revoked permanently.');
  return client;
}

async function record(
  trx: Transaction<Database>,
  change: {
    origin: Origin;
    action: AuditFact['action'];
    client: UserApiClient;
    at: Date;
    details: Record<string, unknown>;
  },
): Promise<void> {
  const { origin, action, client, at, details } = change;
  const { id: subjectId, name, userId } = client;
  await insertAuditRecord(
    trx,
    origin,
    { action, subjectId, details: { name, user_id: userId, ...details } },
    at,
  );
}
