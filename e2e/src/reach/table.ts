/**
 * The reach of each service: all that it may use outside its own process and its RPCs (`access-table.ts`). A database, topic, group,
 * queue, exchange or registered name that is not here fails the test, and so does an entry that does not exist.
 */

export const SERVICES = [
  'gateway',
  'auth',
  'authorization',
  'payment',
  'ledger',
  'notification',
  'analytics',
] as const;
export type ServiceName = (typeof SERVICES)[number];

/** For each thing, the services that may use it, in each way. A service that is not named may not. */
type Reach<Way extends string> = Readonly<Record<string, Readonly<Record<Way, readonly ServiceName[]>>>>;

/** Each service opens its own database only. `postgres` and the templates are the server's own. */
export const DATABASES: Reach<'open'> = {
  postgres: { open: [] },
  template0: { open: [] },
  template1: { open: [] },
  payflowx_auth: { open: ['auth'] },
  payflowx_authorization: { open: ['authorization'] },
  payflowx_payment: { open: ['payment'] },
  payflowx_ledger: { open: ['ledger'] },
  payflowx_notification: { open: ['notification'] },
  payflowx_analytics: { open: ['analytics'] },
};

/** Payment reads its own events to restore its database, and dead letters to send them back. `__…` are Kafka's own. */
export const TOPICS: Reach<'produce' | 'consume'> = {
  'payment-events': { produce: ['payment'], consume: ['payment', 'ledger', 'analytics'] },
  'payment-events.dlt': { produce: ['ledger', 'analytics'], consume: ['payment'] },
  __consumer_offsets: { produce: [], consume: [] },
};

/** Consumer groups. */
export const GROUPS: Reach<'join'> = {
  ledger: { join: ['ledger'] },
  analytics: { join: ['analytics'] },
  'payment-events.dlt.redrive': { join: ['payment'] },
};

/** Beginnings of names: groups of a service's commands, which read a topic from its start. */
export const GROUP_PREFIXES: Readonly<Record<string, ServiceName>> = {
  'payment-replay-': 'payment',
  'ledger-replay-': 'ledger',
  'analytics-replay-': 'analytics',
};

/** Queues of RabbitMQ. `define` also deletes. Notification creates a queue again that was lost. */
export const QUEUES: Reach<'consume' | 'define'> = {
  'payment-notifications': { consume: ['notification'], define: ['notification'] },
  'payment-notifications.dlq': { consume: ['notification'], define: ['notification'] },
  'identity-notifications': { consume: ['notification'], define: ['notification'] },
  'identity-notifications.dlq': { consume: ['notification'], define: ['notification'] },
};

/** Exchanges. The default exchange, whose name is empty, leads to every queue. */
export const EXCHANGES: Reach<'publish' | 'define'> = {
  '': { publish: ['notification'], define: [] },
  'payment-notifications': { publish: ['payment', 'notification'], define: ['notification'] },
  'identity-notifications': { publish: ['auth', 'notification'], define: ['notification'] },
  'amq.direct': { publish: [], define: [] },
  'amq.fanout': { publish: [], define: [] },
  'amq.headers': { publish: [], define: [] },
  'amq.match': { publish: [], define: [] },
  'amq.rabbitmq.trace': { publish: [], define: [] },
  'amq.topic': { publish: [], define: [] },
};

export const VIRTUAL_HOSTS: Reach<'open'> = {
  payflowx: { open: ['auth', 'payment', 'notification'] },
  payflowx_tests: { open: [] },
};

/** Names in Consul. `consul` is the server itself. */
export const REGISTERED_NAMES: Reach<'register'> = {
  consul: { register: [] },
  ...Object.fromEntries(SERVICES.map((service) => [service, { register: [service] }])),
};

/** Things of tests: databases, topics, groups and names with this beginning are not part of the platform. */
export const OF_TESTS = /^(test-|test_|payflowx_test|payflowx_bench)/;
