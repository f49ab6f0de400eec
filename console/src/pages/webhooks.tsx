/** Webhook endpoints, and a form for a new one. */
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, reads, refresh, usePages } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { AddButton } from '../ui/add-button.tsx';
import { CheckGroup, TextField } from '../ui/form.tsx';
import { Badge, Card, Empty, Id, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

const TYPES = [
  ...(['payment.authorized', 'payment.captured', 'payment.completed', 'payment.failed'] as const),
  ...(['payment.cancelled', 'payment.expired', 'payment.refunded'] as const),
];

export function WebhooksPage() {
  const { has } = useRoles();
  const pages = usePages(['webhooks', 'all'], (cursor) =>
    reads.get('/v1/webhook-endpoints', { params: { query: cursor } }),
  );
  return (
    <>
      <PageHead title="Webhooks" actions={has('customer', 'operator') && <AddEndpoint />}>
        Events are signed and sent to these addresses, as Standard Webhooks.
      </PageHead>
      <Card>
        <List
          caption="Webhook endpoints"
          pages={pages}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/webhooks/${id}`}
          columns={[
            {
              head: 'Address',
              cell: ({ id, url }) => (
                <Link to="/webhooks/$id" params={{ id }}>
                  {url}
                </Link>
              ),
            },
            { head: 'State', cell: ({ state }) => <Badge state={state} /> },
            {
              head: 'Events',
              cell: ({ event_types }) => (event_types.includes('*') ? 'all' : event_types.join(', ')),
            },
            { head: 'Owner', cell: ({ owner_id }) => <Id id={owner_id} /> },
            { head: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
          ]}
          empty={<Empty title="No endpoints">Add an address that should get events.</Empty>}
        />
      </Card>
    </>
  );
}

function AddEndpoint() {
  const [types, setTypes] = useState<(typeof TYPES)[number][]>([]);
  const add = async (form: FormData) => {
    const { data } = await api.post('/v1/webhook-endpoints', {
      body: {
        url: String(form.get('url')),
        description: String(form.get('description') ?? ''),
        event_types: types.length > 0 ? types : ['*'],
      },
    });
    // The secret must be shown even if the list cannot be read.
    void refresh('webhooks');
    return data.secret;
  };
  return (
    <AddButton
      label="Add an endpoint…"
      title="Add a webhook endpoint"
      submit="Add"
      secretName="signing secret"
      add={add}
    >
      <TextField label="Address" name="url" type="url" placeholder="https://…" required />
      <TextField label="Description" name="description" maxLength={200} />
      <CheckGroup legend="Events (none chosen: all)" options={TYPES} chosen={types} onChange={setTypes} />
    </AddButton>
  );
}
