/** Stores an endpoint as a test describes it. Nothing is sent to it. */
import { newId } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database, EndpointRow } from '../src/store/database.ts';

export async function insertWebhookEndpoint(
  db: Kysely<Database>,
  fields: Partial<EndpointRow> & Pick<EndpointRow, 'owner_id'>,
): Promise<EndpointRow> {
  const now = new Date();
  const row: EndpointRow = {
    id: newId('whe'),
    sees_all: false,
    url: 'http://127.0.0.1:9/',
    event_types: ['*'],
    description: '',
    state: 'enabled',
    disabled_reason: '',
    secret: Buffer.alloc(0),
    previous_secret: null,
    previous_secret_until: null,
    failures: 0,
    failing_since: null,
    paused_until: null,
    created_at: now,
    updated_at: now,
    ...fields,
  };
  await db.insertInto('webhook_endpoints').values(row).execute();
  return row;
}
