/** A customer's accounts and newest payments. */
import { Link } from '@tanstack/react-router';
import { reads, refreshNewest, usePages } from '../../api/api.ts';
import { liveEveryMs, useNewEvents } from '../../api/live.ts';
import { useMe } from '../../session/session.ts';
import { AccountLink } from '../../ui/links.tsx';
import { Badge, Card, Empty, PageHead } from '../../ui/parts.tsx';
import { List } from '../../ui/table.tsx';
import { SPENDABLE_COLUMNS } from '../accounts.tsx';
import { PAYMENT_COLUMNS } from '../payments.tsx';

export function CustomerHome() {
  const { username } = useMe();
  const accounts = usePages(
    ['accounts', 'own'],
    (cursor) => reads.get('/v1/accounts', { params: { query: cursor } }),
    { everyMs: liveEveryMs(4_000) },
  );
  const payments = usePages(
    ['payments', 'newest'],
    (cursor) => reads.get('/v1/payments', { params: { query: { limit: 8, ...cursor } } }),
    { everyMs: liveEveryMs(4_000) },
  );
  useNewEvents(() => refreshNewest('payments', 'accounts'));
  return (
    <>
      <PageHead
        title={`Welcome, ${username}`}
        actions={
          <Link to="/pay" className="button primary">
            Pay
          </Link>
        }
      />
      <Card title="Your accounts">
        <List
          caption="Your accounts"
          pages={accounts}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/accounts/${id}`}
          columns={[
            { head: 'Account', cell: ({ id, name }) => <AccountLink id={id} name={name} /> },
            { head: 'State', cell: ({ status }) => <Badge state={status} /> },
            ...SPENDABLE_COLUMNS,
          ]}
          empty={<Empty title="You have no account">An operator opens accounts.</Empty>}
        />
      </Card>
      <Card title="Newest payments" actions={<Link to="/payments">All payments</Link>}>
        <List
          caption="Newest payments"
          pages={{ ...payments, hasNextPage: false }}
          columns={PAYMENT_COLUMNS}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/payments/${id}`}
          empty={<Empty title="No payments yet">The first payment appears here.</Empty>}
        />
      </Card>
    </>
  );
}
