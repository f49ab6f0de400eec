/** The dashboards: money, API, event flow and machine. `npm run generate` writes them as JSON. */
import type { Dashboard, Panel } from './panels.ts';

const panel = (title: string, unit: string, legend: string, query: string): Panel => ({
  title,
  unit,
  legend,
  query,
});

/** The 99th percentile of a histogram, by these labels. */
const p99 = (histogram: string, by: string) =>
  `histogram_quantile(0.99, sum by (le, ${by}) (rate(${histogram}_bucket[$__rate_interval])))`;
const rate = (counter: string, by: string) => `sum by (${by}) (rate(${counter}[$__rate_interval]))`;

const money: Dashboard = {
  name: 'money',
  title: 'PayFlowX: money',
  rows: {
    Payments: [
      panel(
        'Payments by state',
        'reqps',
        '{{kind}} {{state}}',
        rate('payflowx_payments_total', 'kind, state'),
      ),
      panel(
        'Declines',
        'reqps',
        '{{decline_code}}',
        rate('payflowx_payments_total{decline_code!=""}', 'decline_code'),
      ),
      panel(
        'Captures, cancels, expiries, refunds',
        'reqps',
        '{{kind}} {{state}}',
        rate('payflowx_payment_operations_total', 'kind, state'),
      ),
      panel('Money held', 'short', '{{currency}}', 'max by (currency) (payflowx_money_held)'),
      panel(
        'Idempotent replays',
        'reqps',
        '{{http_route}}',
        rate('payflowx_idempotent_replays_total', 'http_route'),
      ),
      panel('Waiting for recovery', 'short', '{{of}}', 'max by (of) (payflowx_recovery_waiting)'),
      panel('Stuck', 'short', '{{of}}', 'max by (of) (payflowx_recovery_stuck)'),
      panel('Holds past their end', 'short', 'holds', 'max(payflowx_expiry_due)'),
    ],
    Correctness: [
      panel(
        'Verdict of the last proof',
        'short',
        '{{verdict}}',
        'max by (verdict) (payflowx_ledger_proof_verdict)',
      ),
      panel('Age of the last proof', 's', 'age', 'time() - max(payflowx_ledger_proof_timestamp_seconds)'),
      panel(
        'Differences of the last reconciliation',
        'short',
        'differences',
        'max(payflowx_reconciliation_differences)',
      ),
      panel(
        'Age of the last reconciliation',
        's',
        'age',
        'time() - max(payflowx_reconciliation_timestamp_seconds)',
      ),
    ],
  },
};

const api: Dashboard = {
  name: 'api',
  title: 'PayFlowX: API',
  rows: {
    Objectives: [
      panel('Requests with 5xx', 'percentunit', '5 min', 'payflowx:request_errors:ratio_rate5m'),
      panel('Requests above 500 ms', 'percentunit', '5 min', 'payflowx:request_slow:ratio_rate5m'),
    ],
    Requests: [
      panel(
        'Requests',
        'reqps',
        '{{http_route}} {{http_response_status_code}}',
        rate('http_server_request_duration_seconds_count', 'http_route, http_response_status_code'),
      ),
      panel(
        '99th percentile',
        's',
        '{{http_route}}',
        p99('http_server_request_duration_seconds', 'http_route'),
      ),
      panel(
        'Refusals and failed logins',
        'reqps',
        '{{job}} {{event}}',
        rate('payflowx_security_events_total', 'job, event'),
      ),
    ],
    'Calls between services': [
      panel(
        'Calls that fail',
        'reqps',
        '{{rpc_method}} {{rpc_response_status_code}}',
        rate('rpc_server_call_duration_seconds_count', 'rpc_method, rpc_response_status_code'),
      ),
      panel(
        '99th percentile, as served',
        's',
        '{{rpc_method}}',
        p99('rpc_server_call_duration_seconds', 'rpc_method'),
      ),
      panel(
        '99th percentile, as made',
        's',
        '{{rpc_method}}',
        p99('rpc_client_call_duration_seconds', 'rpc_method'),
      ),
    ],
    Batches: [
      panel(
        'Items in a flush',
        'short',
        '{{job}} {{batch}}',
        `${rate('payflowx_batch_size_sum', 'job, batch')} / ${rate('payflowx_batch_size_count', 'job, batch')}`,
      ),
      panel(
        'Wait for a flush, 99th percentile',
        's',
        '{{job}} {{batch}}',
        p99('payflowx_batch_wait_seconds', 'job, batch'),
      ),
      panel(
        'Flush, 99th percentile',
        's',
        '{{job}} {{batch}}',
        p99('payflowx_batch_flush_duration_seconds', 'job, batch'),
      ),
    ],
  },
};

const events: Dashboard = {
  name: 'events',
  title: 'PayFlowX: event flow',
  rows: {
    Outbox: [
      panel(
        'Events in the outbox',
        'short',
        '{{job}} {{destination}}',
        'max by (job, destination) (payflowx_outbox_events)',
      ),
      panel(
        'Age of the oldest',
        's',
        '{{job}} {{destination}}',
        'max by (job, destination) (payflowx_outbox_oldest_age_seconds)',
      ),
      panel(
        'Refused by the broker',
        'short',
        '{{job}} {{destination}}',
        'max by (job, destination) (payflowx_outbox_dead_letters)',
      ),
    ],
    Consumers: [
      panel(
        'Messages behind',
        'short',
        '{{job}} {{source}}',
        'max by (job, source) (payflowx_consumer_lag_messages)',
      ),
      panel(
        'Seconds behind',
        's',
        '{{job}} {{source}}',
        'max by (job, source) (payflowx_consumer_lag_seconds)',
      ),
      panel(
        'Dead letters of the last 15 minutes',
        'short',
        '{{job}} {{source}} {{reason}}',
        'sum by (job, source, reason) (increase(payflowx_dead_letters_total[15m]))',
      ),
    ],
    'Webhooks and mails': [
      panel(
        'Webhook deliveries that wait',
        'short',
        'deliveries',
        'max(payflowx_webhook_deliveries_pending)',
      ),
      panel('Age of the oldest delivery', 's', 'age', 'max(payflowx_webhook_deliveries_oldest_age_seconds)'),
      panel('Mails that wait', 'short', 'mails', 'max(payflowx_mails_pending)'),
    ],
  },
};

const machine: Dashboard = {
  name: 'machine',
  title: 'PayFlowX: machine',
  rows: {
    Processes: [
      panel('Up', 'short', '{{job}} {{instance}}', 'up'),
      panel('CPU', 'percentunit', '{{job}} {{instance}}', rate('process_cpu_time_seconds', 'job, instance')),
      panel('Memory', 'bytes', '{{job}} {{instance}}', 'process_memory_usage_bytes'),
      panel('Heap in use', 'bytes', '{{job}} {{instance}}', 'sum by (job, instance) (v8js_memory_heap_used)'),
      panel(
        'Garbage collection',
        'percentunit',
        '{{job}} {{v8js_gc_type}}',
        rate('v8js_gc_duration_sum', 'job, v8js_gc_type'),
      ),
      panel('Event loop delay, 99th percentile', 's', '{{job}} {{instance}}', 'nodejs_eventloop_delay_p99'),
      panel('Event loop utilization', 'percentunit', '{{job}} {{instance}}', 'nodejs_eventloop_utilization'),
      panel(
        'Database connections in use',
        'short',
        '{{job}} {{db_client_connection_pool_name}}',
        'sum by (job, db_client_connection_pool_name) (db_client_connection_count{db_client_connection_state="used"})',
      ),
      panel(
        'Statements that wait for a connection',
        'short',
        '{{job}} {{db_client_connection_pool_name}}',
        'sum by (job, db_client_connection_pool_name) (db_client_connection_pending_requests)',
      ),
      panel(
        'Certificates: time left',
        's',
        '{{job}} {{use}}',
        'min by (job, use) (payflowx_certificate_expiry_timestamp_seconds) - time()',
      ),
    ],
    Machine: [
      panel('CPU', 'percentunit', '{{mode}}', rate('node_cpu_seconds_total{mode!="idle"}', 'mode')),
      panel('Memory available', 'bytes', '{{instance}}', 'node_memory_MemAvailable_bytes'),
      panel(
        'Disk left',
        'percentunit',
        '{{mountpoint}}',
        'node_filesystem_avail_bytes / node_filesystem_size_bytes',
      ),
      panel('Disk time', 'percentunit', '{{device}}', rate('node_disk_io_time_seconds_total', 'device')),
    ],
  },
};

export const DASHBOARDS: readonly Dashboard[] = [money, api, events, machine];
