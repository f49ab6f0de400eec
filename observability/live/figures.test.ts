/** The figures of the running platform: all that are promised exist, every label has a bound, and every query of a dashboard has data. */
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, openAccount } from '../../e2e/src/platform.ts';
import { DASHBOARDS } from '../src/dashboards.ts';
import { who } from './platform.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

let prometheus: Prometheus;
beforeAll(async () => {
  prometheus = await startPrometheus();
});
afterAll(() => prometheus?.stop());

/** By what operators ask for. Each query needs a series. */
const PROMISED: Record<string, string[]> = {
  'rate, errors and duration of each route and call': [
    'http_server_request_duration_seconds_count{http_route="/v1/payments",http_response_status_code="201"}',
    'http_server_request_duration_seconds_bucket{le="0.5"}',
    'rpc_server_call_duration_seconds_count{job="payment",rpc_response_status_code="OK"}',
    'rpc_client_call_duration_seconds_count{job="gateway"}',
  ],
  'sizes and waits of batches': [
    ...[
      'create-payments',
      'accept',
      'authorize',
      'settle',
      'decide',
      'payment-events',
      'payment-notifications',
    ].flatMap((batch) => [
      `payflowx_batch_size_count{batch="${batch}"}`,
      `payflowx_batch_wait_seconds_count{batch="${batch}"}`,
      `payflowx_batch_flush_duration_seconds_count{batch="${batch}"}`,
    ]),
  ],
  'connection pools': [
    'db_client_connection_count{db_client_connection_state="used"}',
    'db_client_connection_count{db_client_connection_state="idle"}',
    'db_client_connection_max',
    'db_client_connection_pending_requests',
  ],
  'event loop, garbage collection and heap': [
    'nodejs_eventloop_delay_p99_seconds or nodejs_eventloop_delay_p99',
    'v8js_gc_duration_seconds_count or v8js_gc_duration_count',
    'v8js_memory_heap_used_bytes or v8js_memory_heap_used',
    'process_cpu_time_seconds',
    'process_memory_usage_bytes',
  ],
  outbox: ['payflowx_outbox_events', 'payflowx_outbox_oldest_age_seconds', 'payflowx_outbox_dead_letters'],
  'lag of consumers': ['ledger', 'analytics', 'notification'].flatMap((job) => [
    `payflowx_consumer_lag_messages{job="${job}"}`,
    `payflowx_consumer_lag_seconds{job="${job}"}`,
  ]),
  'dead letters': [
    'payflowx_dead_letters_total{job="ledger"}',
    'payflowx_dead_letters_total{job="notification"}',
  ],
  'backlogs of recovery and expiry': [
    'payflowx_recovery_waiting{of="payments"}',
    'payflowx_recovery_stuck{of="operations"}',
    'payflowx_expiry_due',
  ],
  'payments by kind, state and decline code': [
    'payflowx_payments_total{kind="PAYMENT",state="COMPLETED",decline_code=""}',
    'payflowx_payments_total{state="FAILED",decline_code="INSUFFICIENT_BALANCE"}',
  ],
  'money held': ['payflowx_money_held{currency="EUR"} > 0'],
  refunds: ['payflowx_payment_operations_total{kind="REFUND"}'],
  'idempotent replays': ['payflowx_idempotent_replays_total{http_route="/v1/payments"}'],
  'logins and throttling': [
    'rpc_server_call_duration_seconds_count{rpc_method=~".*/Login",rpc_response_status_code="OK"}',
    'payflowx_security_events_total',
  ],
  'webhook backlog': [
    'payflowx_webhook_deliveries_pending',
    'payflowx_webhook_deliveries_oldest_age_seconds',
    'payflowx_mails_pending',
  ],
  'age and verdict of the last proof': [
    'payflowx_ledger_proof_timestamp_seconds',
    'payflowx_ledger_proof_verdict{verdict="holds"}',
  ],
  reconciliation: [
    'payflowx_reconciliation_differences',
    'payflowx_reconciliation_unsettled',
    'payflowx_reconciliation_timestamp_seconds',
  ],
  certificates: [
    'payflowx_certificate_expiry_timestamp_seconds{use="service"}',
    'payflowx_certificate_lifetime_seconds{use="service"}',
  ],
};

const WORDS = /^[a-z][a-z0-9_.-]{0,39}$/;
const CODES = /^[A-Z][A-Z_]{0,39}$/;
const NUMBER = /^(\d+(\.\d+)?|\+Inf)$/;

/** The values that a label may have. A label without an entry here has no bound that anyone thought about. */
const BOUNDS: Record<string, RegExp> = {
  job: /^(gateway|auth|authorization|payment|ledger|notification|analytics)$/,
  instance: /^127\.0\.0\.1:\d+$/,
  le: NUMBER,
  quantile: NUMBER,
  http_request_method: /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/,
  // Patterns of routes: their variable parts are names.
  http_route: /^(unknown|\*|\/(([a-z][a-z0-9._-]*|v1|:[a-z_]+|\*)\/?)*)$/i,
  http_response_status_code: /^[1-5]\d\d$/,
  rpc_system_name: /^grpc$/,
  rpc_method: /^(payflowx\.[a-z_]+\.v1\.\w+|grpc\.health\.v1\.Health)\/\w+$/,
  rpc_response_status_code: new RegExp(`^(${Object.keys(status).join('|')})$`),
  batch: WORDS,
  source: WORDS,
  destination: WORDS,
  reason: CODES,
  event: WORDS,
  of: /^(payments|operations)$/,
  kind: CODES,
  state: CODES,
  decline_code: /^([A-Z][A-Z_]{0,39})?$/,
  currency: /^[A-Z]{3}$/,
  verdict: /^(holds|unsettled|broken)$/,
  use: /^(service|https)$/,
  cpu_mode: /^(user|system)$/,
  db_client_connection_pool_name: WORDS,
  db_client_connection_state: /^(used|idle)$/,
  v8js_gc_type: /^(major|minor|incremental|weakcb)$/,
  v8js_heap_space_name: WORDS,
  nodejs_eventloop_state: /^(active|idle)$/,
  v8js_resource_type: /^[A-Z][A-Za-z0-9]{0,39}$/,
  // Of pg-boss, the job queue of notification.
  messaging_system: /^pg-boss$/,
  messaging_operation_name: WORDS,
  messaging_operation_type: WORDS,
  messaging_destination_name: WORDS,
  db_namespace: /^payflowx_[a-z]+\|[a-z]+$/,
  pgboss_schema: WORDS,
  pgboss_job_state: WORDS,
  error_type: /^[A-Z][A-Za-z]{0,39}$/,
  // Of the process and of the library.
  service_name: WORDS,
  telemetry_sdk_language: WORDS,
  telemetry_sdk_name: WORDS,
  telemetry_sdk_version: /^[\d.]+$/,
};
/** Ids of ours, of traces, and other long numbers. */
const ID = /(^|[^a-z])[a-z]{2,4}_[0-9a-f]{8}|[0-9a-f]{12}/i;

/** Uses every part of the platform that has figures. */
async function useEverything(): Promise<void> {
  const { operator, auditor, alice, bob } = who;
  const from = await openAccount(operator, alice.user, 10_000);
  const to = await openAccount(operator, bob.user, 0);
  const payment = { from_account: from.id, to_account: to.id, amount: 100, currency: 'EUR' };
  const key = `figures-${from.id}`;
  const { body: paid } = await alice.post('/v1/payments', payment, { key });
  await alice.post('/v1/payments', payment, { key });
  await alice.post('/v1/payments', { ...payment, amount: 1_000_000 });
  await alice.post('/v1/payments', { ...payment, capture: 'manual' });
  await bob.post(`/v1/payments/${paid.id}/refunds`, { amount: 10 });
  await alice.post('/v1/auth/login', { username: alice.user.username, password: 'a wrong password' });
  await auditor.get('/v1/ledger/proof');
  await operator.post('/v1/ledger/reconciliations', {});
  await operator.get('/v1/payments?limit=1');
}

it('every promised figure exists on the running platform', async () => {
  await useEverything();
  for (const [what, queries] of Object.entries(PROMISED))
    for (const query of queries)
      await eventually(async () => {
        const series = await prometheus.query(query);
        expect(series.length, `${what}: ${query}`).toBeGreaterThan(0);
      });
});

it('every label has a bounded set of values', async () => {
  // Series of alerts have the name of the service too, and are Prometheus' own.
  const series = await prometheus.query(
    '{job=~"gateway|auth|authorization|payment|ledger|notification|analytics",__name__!~"ALERTS.*"}',
  );
  expect(series.length).toBeGreaterThan(1_000);
  const values = new Map<string, Set<string>>();
  for (const { metric } of series)
    for (const [label, value] of Object.entries(metric))
      if (label !== '__name__') values.set(label, (values.get(label) ?? new Set()).add(value));
  for (const [label, found] of values) {
    const bound = BOUNDS[label];
    expect(bound, `the label ${label} has no bound here: ${[...found].slice(0, 3)}`).toBeDefined();
    for (const value of found) {
      expect(value, label).toMatch(bound ?? /^$/);
      if (label !== 'instance') expect(value, label).not.toMatch(ID);
    }
  }
});

it.each(
  DASHBOARDS.flatMap(({ name, rows }) =>
    Object.values(rows)
      .flat()
      .map((panel) => ({ name, ...panel })),
  ),
)('$name: "$title" has data', async ({ query }) => {
  const text = query.replaceAll('$__rate_interval', '30s');
  await eventually(async () => expect((await prometheus.query(text)).length, text).toBeGreaterThan(0));
});
