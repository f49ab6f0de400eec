/** One payment: its state and money, what may be done, and everything that the services know of it. */
import type { Schema } from '@payflowx/client';
import { Link, useParams } from '@tanstack/react-router';
import { reads, usePages, useRead } from '../api/api.ts';
import { useExponents } from '../api/currencies.ts';
import { formatMinor } from '../money/minor-units.ts';
import { useMe, useRoles } from '../session/session.ts';
import { CheckIcon, CrossIcon } from '../ui/icons.tsx';
import { AccountLink } from '../ui/links.tsx';
import {
  Badge,
  Card,
  Empty,
  Facts,
  Id,
  Loaded,
  Loading,
  Money,
  PageHead,
  readable,
  shortId,
  Time,
} from '../ui/parts.tsx';
import { List, Table } from '../ui/table.tsx';
import { MoneyFlow } from './payment/money-flow.tsx';
import { PaymentActions } from './payment/payment-actions.tsx';
import { ReceiptCard } from './payment/receipt-card.tsx';
import { Timeline } from './payment/timeline.tsx';

type Payment = Schema<'Payment'>;

/** Until it is final, the payment is loaded often: other people may act on it. */
const LIVE_MS = 3_000;

export function PaymentPage() {
  const { id } = useParams({ from: '/payments/$id' });
  const params = { path: { id } };
  const payment = useRead(['payment', id], () => reads.get('/v1/payments/{id}', { params }), {
    everyMs: LIVE_MS,
  });
  const timeline = useRead(
    ['payment', id, 'timeline'],
    () => reads.get('/v1/payments/{id}/timeline', { params }),
    {
      everyMs: LIVE_MS,
    },
  );
  const refunds = useRead(['payment', id, 'refunds'], () =>
    reads.get('/v1/payments/{id}/refunds', { params: { ...params, query: { limit: 100 } } }),
  );
  return (
    <Loaded query={payment} rows={8}>
      {(data) => (
        <>
          <PageHead
            title={`${readable(data.kind)} ${shortId(id)}`}
            crumb={<Link to="/payments">Payments</Link>}
            actions={<Badge state={data.state} />}
          >
            {data.description ?? data.reference ?? ''}
          </PageHead>
          <div className="split">
            <div className="stack">
              <Card title="Money" pad>
                <MoneyFlow payment={data} refunds={refunds.data?.data ?? []} />
              </Card>
              <PaymentActions payment={data} />
            </div>
            <div className="stack">
              <Card title="Details" pad>
                <Details payment={data} />
              </Card>
            </div>
          </div>
          <Card title="Timeline">
            <Loaded query={timeline}>
              {(line) => <Timeline timeline={line} currency={data.currency} />}
            </Loaded>
          </Card>
          <div className="halves">
            <Card title="Decision" pad>
              <Decision payment={data} />
            </Card>
            <ReceiptCard id={id} />
          </div>
          <Entries id={id} />
          <div className="halves">
            <EventsOf id={id} />
            <NotificationsOf id={id} />
          </div>
          <MailsOf id={id} />
        </>
      )}
    </Loaded>
  );
}

function Details({ payment }: { payment: Payment }) {
  return (
    <Facts
      of={[
        ['Id', <Id key="id" id={payment.id} whole />],
        ['Amount', <Money key="amount" amount={payment.amount} currency={payment.currency} />],
        ['Capture', `${readable(payment.capture)}, by the ${payment.capture_by}`],
        ['Reference', payment.reference],
        ['Description', payment.description],
        ...Object.entries(payment.metadata).map(([name, value]) => [name, value] as [string, string]),
        ['Created', <Time key="created" at={payment.created_at} />],
        ['Updated', <Time key="updated" at={payment.updated_at} />],
        ['Hold ends', payment.expires_at && <Time key="expires" at={payment.expires_at} />],
        ['API client', payment.client_id && <Id key="client" id={payment.client_id} />],
      ]}
    />
  );
}

function Decision({ payment: { decision, failure, currency } }: { payment: Payment }) {
  if (!decision) return <p className="quiet">{failure ? failure.message : 'Not decided yet.'}</p>;
  return (
    <div className="stack">
      <div className="row">
        <Badge state={decision.outcome} />
        <Time at={decision.decided_at} />
      </div>
      {decision.message && <p>{decision.message}</p>}
      <Checks checks={decision.checks} currency={currency} />
    </div>
  );
}

/** Checks with amounts among their inputs. The inputs of all others are texts and counts. */
const OF_AMOUNTS = /^(balance|limit\.(per_payment|daily|monthly))$/;

export function Checks({ checks, currency }: { checks: Schema<'Decision'>['checks']; currency: string }) {
  const exponent = useExponents()(currency) ?? 0;
  const inputText = (check: string, value: string) =>
    OF_AMOUNTS.test(check) && /^-?\d+$/.test(value) ? formatMinor(value, exponent) : value;
  return (
    <ul className="checks">
      {checks.map(({ name, passed, inputs }) => (
        <li key={name + JSON.stringify(inputs)} className={passed ? undefined : 'failed'}>
          {passed ? <CheckIcon /> : <CrossIcon />}
          <span>
            {name === 'rule' ? <RuleResult inputs={inputs} /> : readable(name.replaceAll('.', ' '))}
            <span className="visually-hidden">{passed ? ': passed' : ': failed'}</span>
            {name !== 'rule' && Object.keys(inputs).length > 0 && (
              <span className="quiet small">
                {' '}
                {Object.entries(inputs)
                  .map(([input, value]) => `${readable(input).toLowerCase()} ${inputText(name, value)}`)
                  .join(' · ')}
              </span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Customers do not get the names of rules: the platform leaves these inputs out for them. */
function RuleResult({ inputs }: { inputs: Record<string, string> }) {
  const { rule, rule_id: id, version, action, matched, error, allowed_by: allowedBy } = inputs;
  if (!rule || !id) return <>Rule</>;
  return (
    <>
      Rule{' '}
      <Link to="/rules/$id" params={{ id }}>
        {rule}
      </Link>{' '}
      {action && <Badge state={action} />}
      <span className="quiet small">
        {' '}
        version {version} · {resultText({ action, matched, error })}
        {allowedBy && ' · overridden by a rule that allows'}
      </span>
    </>
  );
}

function resultText({
  action,
  matched,
  error,
}: Record<'action' | 'matched' | 'error', string | undefined>): string {
  if (error !== undefined) return `failed: ${error}`;
  if (matched !== 'true') return 'did not match';
  return action === 'shadow' ? 'matched; it changes nothing, because it is a shadow' : 'matched';
}

function Entries({ id }: { id: string }) {
  const pages = usePages(
    ['payment', id, 'entries'],
    (cursor) => reads.get('/v1/ledger/entries', { params: { query: { payment_id: id, ...cursor } } }),
    { everyMs: LIVE_MS },
  );
  return (
    <Card title="Ledger entries">
      <List
        caption="Ledger entries"
        pages={pages}
        keyOf={(entry) => entry.id}
        columns={ENTRY_COLUMNS}
        empty={
          <Empty title="Nothing in the journal">
            A declined payment moves no money, so it has no entries.
          </Empty>
        }
      />
    </Card>
  );
}

const ENTRY_COLUMNS = [
  {
    head: 'Transaction',
    cell: ({ transaction_id }: Schema<'Entry'>) => (
      <Id id={transaction_id}>
        <Link to="/ledger/transactions/$id" params={{ id: transaction_id }}>
          {shortId(transaction_id)}
        </Link>
      </Id>
    ),
  },
  { head: 'Layer', cell: ({ layer }: Schema<'Entry'>) => readable(layer) },
  { head: 'Account', cell: ({ account_id }: Schema<'Entry'>) => <AccountLink id={account_id} /> },
  { head: 'Time', cell: ({ created_at }: Schema<'Entry'>) => <Time at={created_at} /> },
  {
    head: 'Debit',
    right: true,
    cell: ({ direction, amount, currency }: Schema<'Entry'>) =>
      direction === 'debit' ? <Money amount={amount} currency={currency} /> : '',
  },
  {
    head: 'Credit',
    right: true,
    cell: ({ direction, amount, currency }: Schema<'Entry'>) =>
      direction === 'credit' ? <Money amount={amount} currency={currency} /> : '',
  },
];

export { ENTRY_COLUMNS };

function EventsOf({ id }: { id: string }) {
  const pages = usePages(['payment', id, 'events'], (cursor) =>
    reads.get('/v1/events', { params: { query: { payment_id: id, ...cursor } } }),
  );
  return (
    <Card title="Events and deliveries">
      <List
        caption="Events"
        pages={pages}
        keyOf={(event) => event.id}
        columns={[
          { head: 'Event', cell: ({ type }) => type },
          { head: 'Time', cell: ({ created_at }) => <Time at={created_at} /> },
          { head: 'Deliveries', cell: (event) => <Deliveries eventId={event.id} /> },
        ]}
        empty="No events yet"
      />
    </Card>
  );
}

function Deliveries({ eventId }: { eventId: string }) {
  const deliveries = useRead(['deliveries', eventId], () =>
    reads.get('/v1/webhook-deliveries', { params: { query: { event_id: eventId } } }),
  );
  if (!deliveries.data) return <span className="quiet">…</span>;
  const list = deliveries.data.data;
  if (list.length === 0) return <span className="quiet">none</span>;
  return (
    <span className="row">
      {list.map(({ id, endpoint_id, state }) => (
        <Link key={id} to="/webhooks/$id" params={{ id: endpoint_id }}>
          <Badge state={state} />
        </Link>
      ))}
    </span>
  );
}

function NotificationsOf({ id }: { id: string }) {
  const { has } = useRoles();
  const { id: me } = useMe();
  const notifications = useRead(
    ['payment', id, 'notifications'],
    () => reads.get('/v1/notifications', { params: { query: { payment_id: id, limit: 50 } } }),
    { everyMs: LIVE_MS },
  );
  return (
    <Card title="Notifications">
      {notifications.data ? (
        notifications.data.data.length === 0 ? (
          <Empty title="No notifications yet" />
        ) : (
          <Table
            caption="Notifications"
            items={notifications.data.data.filter(
              ({ recipient_id }) => has('operator', 'auditor') || recipient_id === me,
            )}
            keyOf={(notification) => notification.id}
            columns={[
              { head: 'Title', cell: ({ title }) => title },
              { head: 'To', cell: ({ side }) => readable(side) },
              { head: 'Time', cell: ({ created_at }) => <Time at={created_at} /> },
            ]}
          />
        )
      ) : (
        <Loading />
      )}
    </Card>
  );
}

/** Mails are for staff to see: they have the addresses of both sides. */
function MailsOf({ id }: { id: string }) {
  const { has } = useRoles();
  const staff = has('operator', 'auditor');
  const pages = usePages(
    ['payment', id, 'mails'],
    (cursor) => reads.get('/v1/mails', { params: { query: { payment_id: id, ...cursor } } }),
    { everyMs: 10_000, enabled: staff },
  );
  if (!staff) return null;
  return (
    <Card title="Mails">
      <List
        caption="Mails"
        pages={pages}
        keyOf={(mail) => mail.id}
        columns={[
          { head: 'About', cell: ({ subject_type }) => subject_type },
          {
            head: 'To',
            cell: ({ address, user_id }) => (
              <>
                <Id id={user_id} />
                {address && <div className="quiet small">{address}</div>}
              </>
            ),
          },
          {
            head: 'State',
            cell: ({ state, reason, last_error }) => (
              <>
                <Badge state={state} />
                {(reason ?? last_error) && <div className="quiet small">{reason ?? last_error}</div>}
              </>
            ),
          },
          { head: 'Attempts', right: true, cell: ({ attempts }) => attempts },
          { head: 'Recorded', cell: ({ created_at }) => <Time at={created_at} /> },
          { head: 'Sent', cell: ({ sent_at }) => <Time at={sent_at} /> },
        ]}
        empty={<Empty title="No mails">Nobody gets mails about this payment.</Empty>}
      />
    </Card>
  );
}
