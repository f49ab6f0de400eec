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
  createAccount: ['operator'],
  batchCreateAccounts: ['operator'],
  // Customers see their own accounts.
  getAccount: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'accounts:read' },
  listAccounts: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'accounts:read' },
  listAccountIds: { roles: ['customer'], scope: 'accounts:read' },
  updateAccount: ['operator'],
  changeAccountState: ['operator'],
  listAccountAuditRecords: ['operator', 'auditor'],
  listBalances: ['operator', 'auditor', 'service'],
};

export const RULE_ACCESS: AccessTable<RuleServiceService> = {
  createRule: ['operator'],
  updateRule: ['operator'],
  // Not for customers: a customer who knows the rules can avoid them.
  getRule: ['operator', 'auditor'],
  listRules: ['operator', 'auditor'],
  listRuleVersions: ['operator', 'auditor'],
  backtestRule: ['operator', 'auditor'],
};
