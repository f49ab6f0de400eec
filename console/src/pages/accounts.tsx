/** All accounts that the person may see. */
import type { Schema } from '@payflowx/client';
import { useNavigate } from '@tanstack/react-router';
import { api, reads, refresh, usePages } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { AddButton } from '../ui/add-button.tsx';
import { TextField } from '../ui/form.tsx';
import { AccountLink } from '../ui/links.tsx';
import { Badge, Card, Empty, Id, Money, PageHead, Time } from '../ui/parts.tsx';
import { type Column, List } from '../ui/table.tsx';

/** The money that is held, and the money that can be spent. */
export const SPENDABLE_COLUMNS: readonly Column<Schema<'Account'>>[] = [
  {
    head: 'On hold',
    right: true,
    cell: ({ balance, currency }) => <Money amount={balance.held} currency={currency} />,
  },
  {
    head: 'Available',
    right: true,
    cell: ({ balance, currency }) => (
      <strong>
        <Money amount={balance.available} currency={currency} />
      </strong>
    ),
  },
];

export function AccountsPage() {
  const { has } = useRoles();
  const pages = usePages(
    ['accounts', 'all'],
    (cursor) => reads.get('/v1/accounts', { params: { query: cursor } }),
    { everyMs: 5_000 },
  );
  return (
    <>
      <PageHead title="Accounts" actions={has('operator') && <OpenAccount />}>
        Available is posted minus held. Only the external accounts may go below zero.
      </PageHead>
      <Card>
        <List
          caption="Accounts"
          pages={pages}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/accounts/${id}`}
          columns={[
            { head: 'Account', cell: ({ id, name }) => <AccountLink id={id} name={name} /> },
            { head: 'Owner', cell: ({ owner_id }) => (owner_id ? <Id id={owner_id} /> : 'The platform') },
            { head: 'State', cell: ({ status }) => <Badge state={status} /> },
            { head: 'Opened', cell: ({ created_at }) => <Time at={created_at} /> },
            {
              head: 'Posted',
              right: true,
              cell: ({ balance, currency }) => <Money amount={balance.posted} currency={currency} />,
            },
            ...SPENDABLE_COLUMNS,
          ]}
          empty={<Empty title="No accounts">An operator opens accounts.</Empty>}
        />
      </Card>
    </>
  );
}

function OpenAccount() {
  const navigate = useNavigate();
  const add = async (form: FormData, key: string) => {
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const body = {
      owner_id: text('owner_id'),
      currency: text('currency').toUpperCase(),
      ...(text('name') && { name: text('name') }),
    };
    const { data } = await api.post('/v1/accounts', { body, key });
    await refresh('accounts');
    await navigate({ to: '/accounts/$id', params: { id: data.id } });
    return undefined;
  };
  return (
    <AddButton label="Open an account…" title="Open an account" submit="Open" add={add}>
      <TextField label="Owner" name="owner_id" placeholder="usr_…" required />
      <TextField label="Currency" name="currency" placeholder="EUR" maxLength={3} required />
      <TextField label="Name" name="name" maxLength={100} />
    </AddButton>
  );
}
