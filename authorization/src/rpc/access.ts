/**
 * Who may call what. Every RPC has its line; whoever is not named is refused. An API client may call only those with a scope, if it
 * was given that one.
 */
import type { AccessTable } from '@payflowx/chassis';
import type {
  AccountServiceService,
  AuthorizationServiceService,
  RuleServiceService,
} from '@payflowx/proto/authorization';

export const AUTHORIZATION_ACCESS: AccessTable<AuthorizationServiceService> = {
  // A person never decides about money here: only a service that has verified who asks.
  batchAuthorize: ['service'],
  captureHold: ['service'],
  releaseHold: ['service'],
  refundTransfer: ['service'],
  simulateAuthorization: ['service'],
};

export const ACCOUNT_ACCESS: AccessTable<AccountServiceService> = {
  createAccount: ['operator'],
  batchCreateAccounts: ['operator'],
  // A customer sees its own.
  getAccount: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'accounts:read' },
  listAccounts: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'accounts:read' },
  updateAccount: ['operator'],
  changeAccountState: ['operator'],
  listAccountAuditRecords: ['operator', 'auditor'],
  listBalances: ['operator', 'auditor', 'service'],
};

export const RULE_ACCESS: AccessTable<RuleServiceService> = {
  createRule: ['operator'],
  updateRule: ['operator'],
  // Not for customers: whoever knows the rules pays around them.
  getRule: ['operator', 'auditor'],
  listRules: ['operator', 'auditor'],
  listRuleVersions: ['operator', 'auditor'],
  backtestRule: ['operator', 'auditor'],
};
