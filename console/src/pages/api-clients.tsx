/** Machines that log in by themselves and act for a user. */

import type { Schema } from '@payflowx/client';
import { useState } from 'react';
import { api, reads, refresh, usePages } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { AddButton } from '../ui/add-button.tsx';
import { CheckGroup, ConfirmButton, Dialog, TextField } from '../ui/form.tsx';
import { Badge, Card, Empty, Id, PageHead, Time } from '../ui/parts.tsx';
import { SecretOnce } from '../ui/secret-once.tsx';
import { List } from '../ui/table.tsx';

type Client = Schema<'ApiClient'>;

const SCOPES: Client['scopes'] = [
  ...(['accounts:read', 'accounts:write', 'payments:read', 'payments:write'] as const),
  ...(['mandates:read', 'mandates:write'] as const),
  ...(['deposits:write', 'withdrawals:write', 'rules:read', 'rules:write'] as const),
  ...(['ledger:read', 'notifications:read', 'analytics:read', 'audit:read'] as const),
];

export function ApiClientsPage() {
  const { has } = useRoles();
  const pages = usePages(['api-clients', 'all'], (cursor) =>
    reads.get('/v1/api-clients', { params: { query: cursor } }),
  );
  return (
    <>
      <PageHead title="API clients" actions={has('admin') && <AddClient />}>
        A client acts for one user, within its scopes.
      </PageHead>
      <Card>
        <List
          caption="API clients"
          pages={pages}
          keyOf={({ id }) => id}
          columns={[
            { head: 'Name', cell: ({ name }) => <strong>{name}</strong> },
            { head: 'Client', cell: ({ id }) => <Id id={id} /> },
            { head: 'For', cell: ({ user_id }) => <Id id={user_id} /> },
            { head: 'Scopes', cell: ({ scopes }) => <code>{scopes.join(' ')}</code> },
            {
              head: 'State',
              cell: ({ revoked_at }) => (
                <Badge state={revoked_at ? 'CLOSED' : 'enabled'}>{revoked_at ? 'Revoked' : 'Enabled'}</Badge>
              ),
            },
            { head: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
            {
              head: 'Actions',
              cell: (client) => has('admin') && !client.revoked_at && <ClientActions client={client} />,
            },
          ]}
          empty={<Empty title="No API clients">An administrator creates them.</Empty>}
        />
      </Card>
    </>
  );
}

function ClientActions({ client }: { client: Client }) {
  const [secret, setSecret] = useState('');
  const params = { path: { id: client.id } };
  return (
    <div className="row">
      <ConfirmButton
        label="New secret…"
        confirm="Make a new secret"
        title={`A new secret for ${client.name}?`}
        effect="The program needs the new secret. The old one stops working."
        tiny
        action={async () => {
          const { data } = await api.post('/v1/api-clients/{id}/rotate-secret', { params, body: {} });
          setSecret(data.client_secret);
        }}
      />
      <ConfirmButton
        label="Revoke…"
        confirm="Revoke the client"
        title={`Revoke ${client.name}?`}
        effect="The program is locked out for good, within seconds."
        tiny
        action={async () => {
          await api.post('/v1/api-clients/{id}/revoke', { params, body: {} });
          await refresh('api-clients');
        }}
      />
      {secret && (
        <Dialog title="The new secret" onClose={() => setSecret('')}>
          <SecretOnce name="new secret" secret={secret} onClose={() => setSecret('')} />
        </Dialog>
      )}
    </div>
  );
}

function AddClient() {
  const [scopes, setScopes] = useState<Client['scopes']>([]);
  const add = async (form: FormData, key: string) => {
    const body = { name: String(form.get('name')), user_id: String(form.get('user_id')).trim(), scopes };
    const { data } = await api.post('/v1/api-clients', { body, key });
    // The secret must be shown even if the list cannot be read. A repeated request has none.
    void refresh('api-clients');
    return data.client_secret ?? undefined;
  };
  return (
    <AddButton
      label="Add a client…"
      title="Add an API client"
      submit="Add"
      disabled={scopes.length === 0}
      secretName="client secret"
      add={add}
    >
      <TextField label="Name" name="name" required maxLength={100} />
      <TextField label="For the user" name="user_id" placeholder="usr_…" required />
      <CheckGroup legend="Scopes" options={SCOPES} chosen={scopes} onChange={setScopes} />
    </AddButton>
  );
}
