/** One transaction of the journal with its entries. */
import { Link, useParams } from '@tanstack/react-router';
import { reads, useRead } from '../api/api.ts';
import { PaymentLink } from '../ui/links.tsx';
import { Card, Facts, Id, Loaded, PageHead, shortId, Time } from '../ui/parts.tsx';
import { Table } from '../ui/table.tsx';
import { ENTRY_COLUMNS } from './payment.tsx';

export function TransactionPage() {
  const { id } = useParams({ from: '/ledger/transactions/$id' });
  const transaction = useRead(['transaction', id], () =>
    reads.get('/v1/ledger/transactions/{id}', { params: { path: { id } } }),
  );
  return (
    <>
      <PageHead title={`Transaction ${shortId(id)}`} crumb={<Link to="/ledger">Ledger</Link>} />
      <Card pad>
        <Loaded query={transaction}>
          {(data) => (
            <Facts
              of={[
                ['Id', <Id key="id" id={data.id} whole />],
                ['Event', data.event_type],
                ['Payment', <PaymentLink key="payment" id={data.payment_id} />],
                ['Time', <Time key="time" at={data.created_at} />],
              ]}
            />
          )}
        </Loaded>
      </Card>
      {transaction.data && (
        <Card title="Entries">
          <Table
            caption="Entries"
            items={transaction.data.entries}
            keyOf={(entry) => entry.id}
            columns={ENTRY_COLUMNS.slice(1)}
          />
        </Card>
      )}
    </>
  );
}
