/** The addresses of all pages. Each page is loaded when it is opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Empty, ErrorNote, Loading } from './ui/parts.tsx';
import { Shell } from './ui/shell.tsx';

const root = createRootRoute({ component: Shell });
const parent = { getParentRoute: () => root };

/** Filters are texts in the address, so a filtered list can be linked. */
export type Filters = Record<string, string>;

function filters(search: Record<string, unknown>): Filters {
  const entries = Object.entries(search).filter(([, value]) => value !== '' && value != null);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

const home = createRoute({
  ...parent,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/home.tsx'), 'HomePage'),
});
const pay = createRoute({
  ...parent,
  path: '/pay',
  component: lazyRouteComponent(() => import('./pages/pay.tsx'), 'PayPage'),
});
const payments = createRoute({
  ...parent,
  path: '/payments',
  validateSearch: filters,
  component: lazyRouteComponent(() => import('./pages/payments.tsx'), 'PaymentsPage'),
});
const payment = createRoute({
  ...parent,
  path: '/payments/$id',
  component: lazyRouteComponent(() => import('./pages/payment.tsx'), 'PaymentPage'),
});
const mandates = createRoute({
  ...parent,
  path: '/mandates',
  validateSearch: filters,
  component: lazyRouteComponent(() => import('./pages/mandates.tsx'), 'MandatesPage'),
});
const accounts = createRoute({
  ...parent,
  path: '/accounts',
  component: lazyRouteComponent(() => import('./pages/accounts.tsx'), 'AccountsPage'),
});
const account = createRoute({
  ...parent,
  path: '/accounts/$id',
  component: lazyRouteComponent(() => import('./pages/account.tsx'), 'AccountPage'),
});
const ledger = createRoute({
  ...parent,
  path: '/ledger',
  component: lazyRouteComponent(() => import('./pages/ledger.tsx'), 'LedgerPage'),
});
const transaction = createRoute({
  ...parent,
  path: '/ledger/transactions/$id',
  component: lazyRouteComponent(() => import('./pages/transaction.tsx'), 'TransactionPage'),
});
const reconciliations = createRoute({
  ...parent,
  path: '/reconciliations',
  component: lazyRouteComponent(() => import('./pages/reconciliations.tsx'), 'ReconciliationsPage'),
});
const reconciliation = createRoute({
  ...parent,
  path: '/reconciliations/$id',
  component: lazyRouteComponent(() => import('./pages/reconciliations.tsx'), 'ReconciliationPage'),
});
const rules = createRoute({
  ...parent,
  path: '/rules',
  component: lazyRouteComponent(() => import('./pages/rules.tsx'), 'RulesPage'),
});
const newRule = createRoute({
  ...parent,
  path: '/rules/new',
  component: lazyRouteComponent(() => import('./pages/rule.tsx'), 'NewRulePage'),
});
const rule = createRoute({
  ...parent,
  path: '/rules/$id',
  component: lazyRouteComponent(() => import('./pages/rule.tsx'), 'RulePage'),
});
const audit = createRoute({
  ...parent,
  path: '/audit',
  validateSearch: filters,
  component: lazyRouteComponent(() => import('./pages/audit.tsx'), 'AuditPage'),
});
const notifications = createRoute({
  ...parent,
  path: '/notifications',
  component: lazyRouteComponent(() => import('./pages/notifications.tsx'), 'NotificationsPage'),
});
const events = createRoute({
  ...parent,
  path: '/events',
  validateSearch: filters,
  component: lazyRouteComponent(() => import('./pages/events.tsx'), 'EventsPage'),
});
const webhooks = createRoute({
  ...parent,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('./pages/webhooks.tsx'), 'WebhooksPage'),
});
const webhook = createRoute({
  ...parent,
  path: '/webhooks/$id',
  component: lazyRouteComponent(() => import('./pages/webhook.tsx'), 'WebhookPage'),
});
const deadLetters = createRoute({
  ...parent,
  path: '/dead-letters',
  validateSearch: filters,
  component: lazyRouteComponent(() => import('./pages/dead-letters.tsx'), 'DeadLettersPage'),
});
const deadLetter = createRoute({
  ...parent,
  path: '/dead-letters/$id',
  component: lazyRouteComponent(() => import('./pages/dead-letter.tsx'), 'DeadLetterPage'),
});
const users = createRoute({
  ...parent,
  path: '/users',
  component: lazyRouteComponent(() => import('./pages/users.tsx'), 'UsersPage'),
});
const user = createRoute({
  ...parent,
  path: '/users/$id',
  component: lazyRouteComponent(() => import('./pages/user.tsx'), 'UserPage'),
});
const apiClients = createRoute({
  ...parent,
  path: '/api-clients',
  component: lazyRouteComponent(() => import('./pages/api-clients.tsx'), 'ApiClientsPage'),
});
const signingKeys = createRoute({
  ...parent,
  path: '/signing-keys',
  component: lazyRouteComponent(() => import('./pages/signing-keys.tsx'), 'SigningKeysPage'),
});
const security = createRoute({
  ...parent,
  path: '/security',
  component: lazyRouteComponent(() => import('./pages/security.tsx'), 'SecurityPage'),
});

const routeTree = root.addChildren([
  ...[home, pay, payments, payment, mandates, accounts, account],
  ...[ledger, transaction, reconciliations, reconciliation, rules, newRule, rule, audit],
  ...[notifications, events, webhooks, webhook, deadLetters, deadLetter],
  ...[users, user, apiClients, signingKeys, security],
]);

export const router = createRouter({
  routeTree,
  basepath: '/console',
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingComponent: () => <Loading />,
  defaultErrorComponent: ({ error, reset }) => <ErrorNote error={error} retry={reset} />,
  defaultNotFoundComponent: () => <Empty title="There is no such page" />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
