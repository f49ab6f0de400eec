/** All accounts of the signed-in customer. A shop may have hundreds, so every page is loaded. */
import type { Schema } from '@payflowx/client';
import { reads, useRead } from './api.ts';

export function useOwnAccounts({ enabled = true }: { enabled?: boolean } = {}) {
  return useRead(['accounts', 'own-all'], async () => ({ data: await loadAll() }), { enabled });
}

async function loadAll(): Promise<Schema<'Account'>[]> {
  const accounts: Schema<'Account'>[] = [];
  for await (const account of reads.list('/v1/accounts', { params: { query: { limit: 100 } } }))
    accounts.push(account);
  return accounts;
}
