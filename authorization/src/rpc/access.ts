/**
 * The callers that each RPC allows. Every RPC is listed; callers that are not listed are refused. API clients may call only RPCs
 * with a scope, and need that scope.
 */
import type { AccessTable } from '@payflowx/chassis';
import type {
  AccountServiceService,
  AuthorizationServiceService,
  RuleServiceService,
} from '@payflowx/proto/authorization';

export const AUTHORIZATION_ACCESS: AccessTable<AuthorizationServiceService> = {
  // People never decide about money here: only a service that has verified the user may call this.
  batchAuthorize: ['service'],
  captureHold: ['service'],
  releaseHold: ['service'],
  refundTransfer: ['service'],
  simulateAuthorization: ['service'],
};

export const ACCOUNT_ACCESS: AccessTable<AccountServiceService> = {
  createAccount: { roles: ['operator'], scope: 'accounts:write' },
  batchCreateAccounts: { roles: ['operator'], scope: 'accounts:write' },
  // Customers see their own accounts.
  getAccount: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'accounts:read' },
  listAccounts: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'accounts:read' },
  listAccountIds: { roles: ['customer'], scope: 'accounts:read' },
  updateAccount: { roles: ['operator'], scope: 'accounts:write' },
  changeAccountState: { roles: ['operator'], scope: 'accounts:write' },
  listAccountAuditRecords: { roles: ['operator', 'auditor'], scope: 'audit:read' },
  listBalances: { roles: ['operator', 'auditor', 'service'], scope: 'accounts:read' },
};

export const RULE_ACCESS: AccessTable<RuleServiceService> = {
  createRule: { roles: ['operator'], scope: 'rules:write' },
  updateRule: { roles: ['operator'], scope: 'rules:write' },
  // Not for customers: a customer who knows the rules can avoid them.
  getRule: { roles: ['operator', 'auditor'], scope: 'rules:read' },
  listRules: { roles: ['operator', 'auditor'], scope: 'rules:read' },
  listRuleVersions: { roles: ['operator', 'auditor'], scope: 'rules:read' },
  backtestRule: { roles: ['operator', 'auditor'], scope: 'rules:read' },
};
