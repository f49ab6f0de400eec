/** Reconciliations: the services compared with each other, account by account. */
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { api, reads, refresh, usePages, useRead } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { useRun } from '../ui/form.tsx';
import { AccountLink } from '../ui/links.tsx';
import {
  Badge,
  Card,
  Empty,
  ErrorNote,
  Facts,
  Id,
  Loaded,
  PageHead,
  readable,
  shortId,
  Time,
} from '../ui/parts.tsx';
import { List, Table } from '../ui/table.tsx';
import { Verdict } from '../ui/verdict.tsx';

export function ReconciliationsPage() {
  const { has } = useRoles();
  const navigate = useNavigate();
  const { busy, error, run } = useRun();
  const pages = usePages(
    ['reconciliations', 'all'],
    (cursor) => reads.get('/v1/ledger/reconciliations', { params: { query: cursor } }),
    { everyMs: 10_000 },
  );
  const reconcile = async () => {
    const { data } = await api.post('/v1/ledger/reconciliations', { body: {} });
    await refresh('reconciliations');
    await navigate({ to: '/reconciliations/$id', params: { id: data.id } });
  };
  return (
    <>
      <PageHead
        title="Reconciliation"
        actions={
          has('operator') && (
            <button
              type="button"
              className="button primary"
              disabled={busy}
              onClick={() => void run(reconcile)}
            >
              {busy ? 'Reconciling…' : 'Reconcile now'}
            </button>
          )
        }
      >
        Compares payments, balances, journal and totals of all services. The platform also does it by itself.
      </PageHead>
      {error !== undefined && <ErrorNote error={error} />}
      <Card>
        <List
          caption="Reconciliations"
          pages={pages}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/reconciliations/${id}`}
          columns={[
            {
              head: 'Report',
              cell: ({ id }) => (
                <Id id={id}>
                  <Link to="/reconciliations/$id" params={{ id }}>
                    {shortId(id)}
                  </Link>
                </Id>
              ),
            },
            { head: 'Verdict', cell: ({ holds }) => <Badge state={holds ? 'holds' : 'broken'} /> },
            { head: 'Finished', cell: ({ finished_at }) => <Time at={finished_at} /> },
            {
              head: 'Asked by',
              cell: ({ requested_by }) => (requested_by ? <Id id={requested_by} /> : 'the schedule'),
            },
            { head: 'Accounts', right: true, cell: ({ account_count }) => account_count },
            { head: 'Unsettled', right: true, cell: ({ unsettled_count }) => unsettled_count },
            { head: 'Differences', right: true, cell: ({ difference_count }) => difference_count },
          ]}
          empty={<Empty title="No reconciliation yet">Start one, or wait for the schedule.</Empty>}
        />
      </Card>
    </>
  );
}

export function ReconciliationPage() {
  const { id } = useParams({ from: '/reconciliations/$id' });
  const report = useRead(['reconciliation', id], () =>
    reads.get('/v1/ledger/reconciliations/{id}', { params: { path: { id } } }),
  );
  return (
    <>
      <PageHead title={`Report ${shortId(id)}`} crumb={<Link to="/reconciliations">Reconciliation</Link>} />
      <Card pad>
        <Loaded query={report}>
          {(data) => (
            <div className="stack">
              <Verdict
                verdict={data.holds ? 'holds' : 'broken'}
                title={data.holds ? 'All services agree' : `${data.difference_count} differences`}
              >
                {data.account_count} accounts were compared. {data.unsettled_count} were changing meanwhile.
              </Verdict>
              <Facts
                of={[
                  ['Started', <Time key="started" at={data.started_at} />],
                  ['Finished', <Time key="finished" at={data.finished_at} />],
                  ['Asked by', data.requested_by ? <Id key="by" id={data.requested_by} /> : 'the schedule'],
                ]}
              />
            </div>
          )}
        </Loaded>
      </Card>
      {report.data && report.data.differences.length > 0 && (
        <Card title="Differences">
          <Table
            caption="Differences"
            items={report.data.differences}
            keyOf={({ account_id, figure }) => account_id + figure}
            columns={[
              { head: 'Account', cell: ({ account_id }) => <AccountLink id={account_id} /> },
              { head: 'Figure', cell: ({ figure }) => readable(figure) },
              { head: 'Expected by', cell: ({ expected_by }) => expected_by },
              { head: 'Found by', cell: ({ found_by }) => found_by },
              { head: 'Expected', right: true, cell: ({ expected }) => expected },
              { head: 'Found', right: true, cell: ({ found }) => found },
            ]}
          />
        </Card>
      )}
    </>
  );
}
