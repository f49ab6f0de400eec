/** All accounts of the signed-in customer. A shop may have hundreds, so every page is loaded. */
import type { Schema } from '@payflowx/client';
import { useRoles } from '../session/session.ts';
import { reads, useRead } from './api.ts';

export function useOwnAccounts({ enabled = true }: { enabled?: boolean } = {}) {
  return useRead(['accounts', 'own-all'], async () => ({ data: await loadAll() }), { enabled });
}

/** Says who may act for an account: operators, and its owner. */
export function useMayActFor(): (accountId: string) => boolean {
  const { has } = useRoles();
  const own = useOwnAccounts({ enabled: has('customer') && !has('operator') });
  return (accountId) => has('operator') || (own.data ?? []).some(({ id }) => id === accountId);
}

async function loadAll(): Promise<Schema<'Account'>[]> {
  const accounts: Schema<'Account'>[] = [];
  for await (const account of reads.list('/v1/accounts', { params: { query: { limit: 100 } } }))
    accounts.push(account);
  return accounts;
}
