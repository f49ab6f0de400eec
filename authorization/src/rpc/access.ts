/** Who may call what. Every RPC has its line; whoever is not named is refused. */
import type { AccessTable } from '@payflowx/chassis';
import type { AccountServiceService, AuthorizationServiceService } from '@payflowx/proto/authorization';

export const AUTHORIZATION_ACCESS: AccessTable<AuthorizationServiceService> = {
  // A person never decides about money here: only a service that has verified who asks.
  batchAuthorize: ['service'],
};

export const ACCOUNT_ACCESS: AccessTable<AccountServiceService> = {
  createAccount: ['operator'],
  // A customer sees its own.
  getAccount: ['customer', 'operator', 'auditor', 'service'],
  listAccounts: ['customer', 'operator', 'auditor', 'service'],
  listBalances: ['operator', 'auditor', 'service'],
};
