/** The state of the platform right now, for operators and auditors. */
import type { Schema } from '@payflowx/client';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { reads, refreshNewest, usePages, useRead } from '../../api/api.ts';
import { liveEveryMs, useNewEvents } from '../../api/live.ts';
import {
  Ago,
  Badge,
  Card,
  Empty,
  Figures,
  Loaded,
  Loading,
  Money,
  PageHead,
  readable,
} from '../../ui/parts.tsx';
import { List, Table } from '../../ui/table.tsx';
import { Verdict } from '../../ui/verdict.tsx';
import { PAYMENT_COLUMNS } from '../payments.tsx';
import { PipelineCard, usePipeline } from './pipeline-card.tsx';
import { LIVE_MS, PLOT_S, useRates } from './rates.ts';
import { ServicesCard } from './services-card.tsx';

const Plot = lazy(() => import('../../ui/plot.tsx').then((module) => ({ default: module.Plot })));

export function Overview() {
  const summary = useRead(['analytics', 'summary'], () => reads.get('/v1/analytics/summary'), {
    everyMs: LIVE_MS,
  });
  const { times, rates } = useRates(summary.data);
  const payments = usePages(
    ['payments', 'newest'],
    (cursor) => reads.get('/v1/payments', { params: { query: { limit: 8, ...cursor } } }),
    { everyMs: liveEveryMs(LIVE_MS) },
  );
  useNewEvents(() => refreshNewest('payments'));
  return (
    <>
      <PageHead title="Overview">Totals lag behind the payments by a moment.</PageHead>
      <Loaded query={summary} rows={3}>
        {(data) => <Totals summary={data} />}
      </Loaded>
      <div className="split">
        <div className="stack">
          <Card
            title="Payments a second"
            actions={
              summary.data?.as_of && (
                <span className="quiet small">
                  as of <Ago at={summary.data.as_of} />
                </span>
              )
            }
            pad
          >
            <Suspense fallback={<Loading rows={4} />}>
              <Plot
                label="Payments that were completed, declined, and cancelled or expired in each second, since this page was opened"
                times={times}
                spanS={PLOT_S}
                series={[
                  { label: 'Completed', tone: 'good', values: rates.completed },
                  { label: 'Declined', tone: 'bad', values: rates.failed },
                  { label: 'Cancelled or expired', tone: 'warn', values: rates.ended },
                ]}
                format={(value) => value.toLocaleString('en-GB', { maximumFractionDigits: 1 })}
              />
            </Suspense>
          </Card>
        </div>
        <div className="stack">
          <Books />
          <OpenHolds />
        </div>
      </div>
      <Card title="Newest payments" actions={<Link to="/payments">All payments</Link>}>
        <List
          caption="Newest payments"
          pages={{ ...payments, hasNextPage: false }}
          columns={PAYMENT_COLUMNS}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/payments/${id}`}
          empty={<Empty title="No payments yet">The first payment appears here by itself.</Empty>}
        />
      </Card>
      <div className="halves">
        <PipelineCard />
        <ServicesCard />
      </div>
      <DeclineReasons />
    </>
  );
}

function Totals({ summary: { data } }: { summary: Schema<'Summary'> }) {
  if (data.length === 0) return <Empty title="No payments yet" />;
  const rate = (share: number | null) =>
    share === null ? '–' : `${(share * 100).toLocaleString('en-GB', { maximumFractionDigits: 1 })} %`;
  return (
    <div className="stack">
      {data.map((total) => (
        <Figures
          key={total.currency}
          of={[
            [
              `Captured, ${total.currency}`,
              <Money key="c" amount={total.amount_captured} currency={total.currency} />,
            ],
            [
              `Refunded, ${total.currency}`,
              <Money key="r" amount={total.amount_refunded} currency={total.currency} />,
            ],
            ['Payments', total.initiated_count.toLocaleString('en-GB'), `${total.completed_count} completed`],
            ['Declined', total.failed_count.toLocaleString('en-GB')],
            ['Success rate', rate(total.success_rate)],
          ]}
        />
      ))}
    </div>
  );
}

const PROOF_TITLES = {
  holds: 'The last proof holds',
  unsettled: 'The last proof is unsettled',
  broken: 'The last proof is broken',
} as const;

/** The verdict and the age of the newest proof of any instance, and the last reconciliation. */
function Books() {
  const pipeline = usePipeline();
  const last = useRead(
    ['reconciliations', 'last'],
    () => reads.get('/v1/ledger/reconciliations', { params: { query: { limit: 1 } } }),
    { everyMs: 15_000 },
  );
  return (
    <Card title="Books" actions={<Link to="/ledger">Prove now</Link>} pad>
      <Loaded query={pipeline} rows={2}>
        {({ last_proof: proof }) =>
          proof ? (
            <Verdict verdict={proof.verdict} title={PROOF_TITLES[proof.verdict]}>
              {proof.account_count} accounts, <Ago at={proof.proved_at} />
              {proof.verdict === 'unsettled' && '. Events were on their way: prove again.'}
            </Verdict>
          ) : (
            <Verdict title="Not proved yet">Run the proof of the ledger.</Verdict>
          )
        }
      </Loaded>
      <Loaded query={last} rows={1}>
        {({ data: [newest] }) =>
          newest ? (
            <p className="quiet small">
              <Badge state={newest.holds ? 'holds' : 'broken'} /> Reconciliation of {newest.account_count}{' '}
              accounts, <Ago at={newest.finished_at} />
            </p>
          ) : (
            <p className="quiet small">Not reconciled yet.</p>
          )
        }
      </Loaded>
    </Card>
  );
}

/** The newest open holds. Their sum is of these only, so the card says how many it counts. */
function OpenHolds() {
  const holds = useRead(
    ['payments', 'holds'],
    () => reads.get('/v1/payments', { params: { query: { state: 'AUTHORIZED', limit: 100 } } }),
    { everyMs: 10_000 },
  );
  return (
    <Card title="Money on hold" pad>
      <Loaded query={holds} rows={2}>
        {({ data, next_cursor }) => {
          const sums = new Map<string, number>();
          for (const { currency, amount, amount_captured } of data) {
            sums.set(currency, (sums.get(currency) ?? 0) + amount - amount_captured);
          }
          if (sums.size === 0) return <p className="quiet">No payment is on hold.</p>;
          return (
            <div className="stack">
              {[...sums].map(([currency, amount]) => (
                <div key={currency}>
                  <strong>
                    <Money amount={amount} currency={currency} />
                  </strong>
                </div>
              ))}
              <p className="quiet small">
                {next_cursor ? 'The newest 100 authorized payments.' : `Authorized payments: ${data.length}.`}{' '}
                <Link to="/payments" search={{ state: 'AUTHORIZED' }}>
                  See them
                </Link>
              </p>
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}

function DeclineReasons() {
  const failed = useRead(
    ['payments', 'failed'],
    () => reads.get('/v1/payments', { params: { query: { state: 'FAILED', limit: 100 } } }),
    { everyMs: 10_000 },
  );
  return (
    <Card title="Why payments were declined">
      <Loaded query={failed} rows={3}>
        {({ data }) => {
          const counts = new Map<string, number>();
          for (const { failure } of data) {
            if (failure) counts.set(failure.code, (counts.get(failure.code) ?? 0) + 1);
          }
          if (counts.size === 0) return <Empty title="Nothing was declined" />;
          return (
            <Table
              caption="Reasons of the newest 100 declined payments"
              items={[...counts].sort(([, a], [, b]) => b - a)}
              keyOf={([code]) => code}
              columns={[
                { head: 'Reason', cell: ([code]) => readable(code) },
                {
                  head: 'Of the last 100',
                  right: true,
                  cell: ([, count]) => <span className="num">{count}</span>,
                },
              ]}
            />
          );
        }}
      </Loaded>
    </Card>
  );
}
