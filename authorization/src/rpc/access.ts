/**
 * The callers that each RPC allows. Every RPC is listed; callers that are not listed are refused. API clients may call only RPCs
 * with a scope, and need that scope.
 */
import type { AccessTable } from '@payflowx/chassis';
import type {
  AccountServiceService,
  AuthorizationServiceService,
  MandateServiceService,
  RuleServiceService,
  TestClockServiceService,
} from '@payflowx/proto/authorization';

export const AUTHORIZATION_ACCESS: AccessTable<AuthorizationServiceService> = {
  // People never decide about money here: payment has verified the user.
  batchAuthorize: { services: ['payment'] },
  captureHold: { services: ['payment'] },
  releaseHold: { services: ['payment'] },
  refundTransfer: { services: ['payment'] },
  simulateAuthorization: { services: ['payment'] },
};

export const ACCOUNT_ACCESS: AccessTable<AccountServiceService> = {
  createAccount: { roles: ['operator'], scope: 'accounts:write' },
  batchCreateAccounts: { roles: ['operator'], scope: 'accounts:write' },
  // Customers see their own accounts. Notification reads the time zone for a mail.
  getAccount: {
    roles: ['customer', 'operator', 'auditor'],
    scope: 'accounts:read',
    services: ['notification'],
  },
  listAccounts: { roles: ['customer', 'operator', 'auditor'], scope: 'accounts:read' },
  listAccountIds: { roles: ['customer'], scope: 'accounts:read' },
  updateAccount: { roles: ['operator'], scope: 'accounts:write', recentLogin: true },
  changeAccountState: { roles: ['operator'], scope: 'accounts:write' },
  listAccountAuditRecords: { roles: ['operator', 'auditor'], scope: 'audit:read' },
  // The ledger's, for its proof and reconciliation.
  listBalances: { roles: ['operator', 'auditor'], scope: 'accounts:read', services: ['ledger'] },
};

export const MANDATE_ACCESS: AccessTable<MandateServiceService> = {
  // For the owner of the paying account, whatever the role: operators may own accounts too.
  createMandate: { roles: ['customer', 'operator'], scope: 'mandates:write' },
  getMandate: { roles: ['customer', 'operator', 'auditor'], scope: 'mandates:read' },
  listMandates: { roles: ['customer', 'operator', 'auditor'], scope: 'mandates:read' },
  revokeMandate: { roles: ['customer', 'operator'], scope: 'mandates:write' },
};

export const RULE_ACCESS: AccessTable<RuleServiceService> = {
  createRule: { roles: ['operator'], scope: 'rules:write', recentLogin: true },
  updateRule: { roles: ['operator'], scope: 'rules:write', recentLogin: true },
  // Not for customers: a customer who knows the rules can avoid them.
  getRule: { roles: ['operator', 'auditor'], scope: 'rules:read' },
  listRules: { roles: ['operator', 'auditor'], scope: 'rules:read' },
  listRuleVersions: { roles: ['operator', 'auditor'], scope: 'rules:read' },
  backtestRule: { roles: ['operator', 'auditor'], scope: 'rules:read' },
};

export const TEST_CLOCK_ACCESS: AccessTable<TestClockServiceService> = {
  // Payment has verified the user, and moves its own times too.
  advanceAccount: { services: ['payment'] },
};
