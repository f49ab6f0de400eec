/** One webhook endpoint and its deliveries. */
import type { Schema } from '@payflowx/client';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, reads, refresh, usePages, useRead } from '../api/api.ts';
import { useMe } from '../session/session.ts';
import { ConfirmButton, Dialog, useRun } from '../ui/form.tsx';
import { Badge, Card, Empty, ErrorNote, Facts, Id, Loaded, PageHead, Time } from '../ui/parts.tsx';
import { SecretOnce } from '../ui/secret-once.tsx';
import { List } from '../ui/table.tsx';

type Endpoint = Schema<'WebhookEndpoint'>;
type Delivery = Schema<'WebhookDelivery'>;

export function WebhookPage() {
  const { id } = useParams({ from: '/webhooks/$id' });
  const { id: me } = useMe();
  const params = { path: { id } };
  const endpoint = useRead(['webhook', id], () => reads.get('/v1/webhook-endpoints/{id}', { params }));
  const pages = usePages(
    ['webhook', id, 'deliveries'],
    (cursor) => reads.get('/v1/webhook-deliveries', { params: { query: { endpoint_id: id, ...cursor } } }),
    { everyMs: 3_000 },
  );
  return (
    <Loaded query={endpoint} rows={8}>
      {(data) => (
        <>
          <PageHead
            title="Webhook endpoint"
            crumb={<Link to="/webhooks">Webhooks</Link>}
            actions={data.owner_id === me && <EndpointActions endpoint={data} />}
          >
            {data.url}
          </PageHead>
          <Card pad>
            <Facts
              of={[
                ['State', <Badge key="state" state={data.state} />],
                ['Why disabled', data.disabled_reason],
                ['Events', data.event_types.includes('*') ? 'all' : data.event_types.join(', ')],
                ['Description', data.description],
                ['Owner', <Id key="owner" id={data.owner_id} />],
                ['Created', <Time key="created" at={data.created_at} />],
              ]}
            />
          </Card>
          <Card title="Deliveries">
            <List
              caption="Deliveries"
              pages={pages}
              keyOf={(delivery) => delivery.id}
              columns={[
                { head: 'Delivery', cell: (delivery) => <Id id={delivery.id} /> },
                { head: 'Event', cell: ({ event_id }) => <Id id={event_id} /> },
                { head: 'State', cell: ({ state }) => <Badge state={state} /> },
                { head: 'Last attempt', cell: (delivery) => <LastAttempt delivery={delivery} /> },
                { head: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
                {
                  head: 'Again',
                  cell: (delivery) => (data.owner_id === me ? <Redeliver id={delivery.id} /> : ''),
                },
              ]}
              empty={
                <Empty title="Nothing was sent yet">A test event shows whether the address works.</Empty>
              }
            />
          </Card>
        </>
      )}
    </Loaded>
  );
}

function LastAttempt({ delivery: { attempts } }: { delivery: Delivery }) {
  const last = attempts.at(-1);
  if (!last) return <span className="quiet">none</span>;
  return (
    <>
      {last.status ?? last.error}{' '}
      <span className="quiet small">
        in {last.ms} ms, attempt {attempts.length}
      </span>
    </>
  );
}

function Redeliver({ id }: { id: string }) {
  const { busy, error, run } = useRun();
  const send = async () => {
    await api.post('/v1/webhook-deliveries/{id}/redeliver', { params: { path: { id } }, body: {} });
    await refresh('webhook');
  };
  return (
    <>
      <button type="button" className="button tiny" disabled={busy} onClick={() => void run(send)}>
        Send again
      </button>
      {error !== undefined && <ErrorNote error={error} />}
    </>
  );
}

function EndpointActions({ endpoint }: { endpoint: Endpoint }) {
  const navigate = useNavigate();
  const [secret, setSecret] = useState('');
  const { busy, error, run } = useRun();
  const params = { path: { id: endpoint.id } };
  const test = async () => {
    await api.post('/v1/webhook-endpoints/{id}/test', { params, body: {} });
    await refresh('webhook');
  };
  const flip = async () => {
    const state = endpoint.state === 'enabled' ? 'disabled' : 'enabled';
    await api.patch('/v1/webhook-endpoints/{id}', { params, body: { state } });
    await refresh('webhook', 'webhooks');
  };
  return (
    <>
      {error !== undefined && <ErrorNote error={error} />}
      <button type="button" className="button" disabled={busy} onClick={() => void run(test)}>
        Send a test event
      </button>
      <button type="button" className="button" disabled={busy} onClick={() => void run(flip)}>
        {endpoint.state === 'enabled' ? 'Disable' : 'Enable'}
      </button>
      <ConfirmButton
        label="New secret…"
        confirm="Make a new secret"
        title="Make a new signing secret?"
        effect="Deliveries are signed with the old and the new secret for a day. Then only the new one is used."
        danger={false}
        action={async () => {
          const { data } = await api.post('/v1/webhook-endpoints/{id}/rotate-secret', { params, body: {} });
          setSecret(data.secret);
        }}
      />
      <ConfirmButton
        label="Delete…"
        confirm="Delete the endpoint"
        title="Delete this endpoint?"
        effect="It gets no events any more, and its deliveries are not shown any more."
        action={async () => {
          await api.delete('/v1/webhook-endpoints/{id}', { params });
          await refresh('webhooks');
          await navigate({ to: '/webhooks' });
        }}
      />
      {secret && (
        <Dialog title="The new signing secret" onClose={() => setSecret('')}>
          <SecretOnce name="new signing secret" secret={secret} onClose={() => setSecret('')} />
        </Dialog>
      )}
    </>
  );
}
