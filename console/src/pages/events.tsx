/** Every step of the payments that the person may see. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { reads, refreshNewest, usePages } from '../api/api.ts';
import { liveEveryMs, useNewEvents } from '../api/live.ts';
import { SelectField } from '../ui/form.tsx';
import { PaymentLink } from '../ui/links.tsx';
import { Badge, Card, Empty, Id, Money, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

const TYPES = ['authorized', 'captured', 'completed', 'failed', 'cancelled', 'expired', 'refunded'];

export function EventsPage() {
  const filters = useSearch({ from: '/events' });
  const navigate = useNavigate();
  const pages = usePages(
    ['events', filters],
    (cursor) => reads.get('/v1/events', { params: { query: { ...filters, ...cursor } } }),
    { everyMs: liveEveryMs(3_000) },
  );
  useNewEvents(() => refreshNewest('events'));
  return (
    <>
      <PageHead title="Events">
        The same events go to webhook endpoints and to the event stream. New ones appear by themselves.
      </PageHead>
      <Card>
        <div className="filters">
          <SelectField
            label="Type"
            value={filters.type ?? ''}
            onChange={(event) =>
              void navigate({ to: '/events', search: event.target.value ? { type: event.target.value } : {} })
            }
            options={[['', 'Any'], ...TYPES.map((type) => [`payment.${type}`, type] as const)]}
          />
        </div>
        <List
          caption="Events"
          pages={pages}
          keyOf={({ id }) => id}
          columns={[
            { head: 'Event', cell: ({ id }) => <Id id={id} /> },
            { head: 'Type', cell: ({ type }) => <strong>{type}</strong> },
            {
              head: 'Payment',
              cell: ({ data }) => (data.payment ? <PaymentLink id={data.payment.id} /> : ''),
            },
            {
              head: 'State then',
              cell: ({ data }) => (data.payment ? <Badge state={data.payment.state} /> : ''),
            },
            { head: 'Time', cell: ({ created_at }) => <Time at={created_at} /> },
            {
              head: 'Amount',
              right: true,
              cell: ({ data: { payment, refund } }) =>
                payment ? <Money amount={(refund ?? payment).amount} currency={payment.currency} /> : '',
            },
          ]}
          empty={<Empty title="No events yet">Each step of a payment is an event.</Empty>}
        />
      </Card>
    </>
  );
}
