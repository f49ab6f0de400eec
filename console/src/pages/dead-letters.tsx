/** Messages that were given up. */
import type { Schema } from '@payflowx/client';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, reads, refresh, usePages } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { ConfirmButton, SelectField } from '../ui/form.tsx';
import { Badge, Card, Empty, Id, PageHead, readable, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

const REASONS = ['UNDECODABLE', 'REJECTED', 'DELIVERY_LIMIT', 'REFUSED'] as const;

export function DeadLettersPage() {
  const filters = useSearch({ from: '/dead-letters' });
  const navigate = useNavigate();
  const pages = usePages<Schema<'DeadLetterSummary'>>(
    ['dead-letters', filters],
    (cursor) => reads.get('/v1/dead-letters', { params: { query: { ...filters, ...cursor } } }),
    { everyMs: 10_000 },
  );
  return (
    <>
      <PageHead title="Dead letters" actions={<RedriveAll filters={filters} />}>
        Messages that a consumer or a broker refused. Fix the cause first, then send them back.
      </PageHead>
      <Card>
        <div className="filters">
          <SelectField
            label="Reason"
            value={filters.reason ?? ''}
            onChange={(event) =>
              void navigate({
                to: '/dead-letters',
                search: event.target.value ? { reason: event.target.value } : {},
              })
            }
            options={[['', 'Any'], ...REASONS.map((reason) => [reason, readable(reason)] as const)]}
          />
        </div>
        <List
          caption="Dead letters"
          pages={pages}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/dead-letters/${encodeURIComponent(id)}`}
          columns={[
            {
              head: 'Message',
              cell: ({ id, event_type }) => (
                <Link to="/dead-letters/$id" params={{ id }}>
                  {event_type ?? 'no event'}
                </Link>
              ),
            },
            { head: 'Reason', cell: ({ reason }) => <Badge state={reason} tone="bad" /> },
            { head: 'From', cell: ({ source }) => source },
            { head: 'Key', cell: ({ key }) => (key ? <Id id={key} /> : '') },
            { head: 'Error', cell: ({ error }) => <span className="small">{error}</span> },
            { head: 'Given up', cell: ({ failed_at }) => <Time at={failed_at} /> },
          ]}
          empty={<Empty title="No dead letters">Every message was applied.</Empty>}
        />
      </Card>
    </>
  );
}

function RedriveAll({ filters }: { filters: Record<string, string> }) {
  const { has } = useRoles();
  const [count, setCount] = useState<number>();
  if (!has('operator')) return null;
  return (
    <>
      {count !== undefined && (
        <span role="status" className="small">
          {count} were sent back.
        </span>
      )}
      <ConfirmButton
        label="Send all back…"
        confirm="Send them back"
        title="Send these messages back?"
        effect="All messages that fit the filters are sent to their consumers again, oldest first. It is safe to repeat: a consumer skips events that it has applied."
        danger={false}
        action={async () => {
          const { data } = await api.post('/v1/dead-letters/redrive', { body: filters });
          setCount(data.redriven);
          await refresh('dead-letters');
        }}
      />
    </>
  );
}
