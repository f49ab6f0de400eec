/** Every recorded change, its author, and the values before and after. One tab for each kind of change. */
import type { Schema } from '@payflowx/client';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { FormEvent, ReactNode } from 'react';
import { reads, usePages } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { TextField } from '../ui/form.tsx';
import { AccountLink, PaymentLink } from '../ui/links.tsx';
import { Badge, Card, Id, Money, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

type Filters = Record<string, string>;

const KINDS = [
  ['accounts', 'Accounts'],
  ['payments', 'Payments'],
  ['identities', 'Users, clients and keys'],
  ['webhooks', 'Webhooks'],
  ['dead-letters', 'Dead letters'],
] as const;

export function AuditPage() {
  const { kind, ...filters }: Filters = useSearch({ from: '/audit' });
  const { has } = useRoles();
  const staff = has('operator', 'auditor');
  // Administrators see identities only.
  const kinds = KINDS.filter(([each]) => staff || each === 'identities');
  const shown = kinds.find(([each]) => each === kind)?.[0] ?? kinds[0]?.[0];
  const navigate = useNavigate();
  const apply = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const entries = [...new FormData(event.currentTarget)].filter(([, value]) => value !== '');
    void navigate({ to: '/audit', search: { kind: shown, ...Object.fromEntries(entries) } as Filters });
  };
  return (
    <>
      <PageHead title="Audit">
        Every change, with the person, the API client and the trace that caused it.
      </PageHead>
      <Card>
        <nav className="tabs" aria-label="Kinds of changes">
          {kinds.map(([each, label]) => (
            <Link key={each} to="/audit" search={{ kind: each }} className={each === shown ? 'active' : ''}>
              {label}
            </Link>
          ))}
        </nav>
        <form className="filters" onSubmit={apply} key={JSON.stringify([kind, filters])}>
          <TextField label="Person" name="actor_id" placeholder="usr_…" defaultValue={filters.actor_id} />
          {(shown === 'accounts' || shown === 'payments') && (
            <TextField
              label="Account"
              name="account_id"
              placeholder="acct_…"
              defaultValue={filters.account_id}
            />
          )}
          {shown === 'identities' && (
            <TextField
              label="Subject"
              name="subject_id"
              placeholder="usr_… or cli_…"
              defaultValue={filters.subject_id}
            />
          )}
          {shown === 'webhooks' && (
            <TextField
              label="Endpoint"
              name="endpoint_id"
              placeholder="whe_…"
              defaultValue={filters.endpoint_id}
            />
          )}
          <div className="row">
            <button type="submit" className="button primary">
              Filter
            </button>
          </div>
        </form>
        {shown === 'accounts' && <AccountRecords filters={filters} />}
        {shown === 'payments' && <PaymentRecords filters={filters} />}
        {shown === 'identities' && <IdentityRecords filters={filters} />}
        {shown === 'webhooks' && <WebhookRecords filters={filters} />}
        {shown === 'dead-letters' && <DeadLetterRecords filters={filters} />}
      </Card>
    </>
  );
}

interface Cause {
  actor_id: string;
  trace_id: string | null;
  created_at: string;
}

interface Entry extends Cause {
  action: string;
  /** Absent if API clients may not do this. */
  client_id?: string | null;
}

const WHEN = { head: 'Time', cell: ({ created_at }: Entry) => <Time at={created_at} /> };
const WHAT = { head: 'Action', cell: ({ action }: Entry) => <strong>{action}</strong> };
const WHO = {
  head: 'By',
  cell: ({ actor_id, client_id }: Entry) => (
    <>
      <Id id={actor_id} />
      {client_id && (
        <div>
          <Id id={client_id} />
        </div>
      )}
    </>
  ),
};
const TRACE = {
  head: 'Trace',
  cell: ({ trace_id }: Entry) => (trace_id ? <Id id={trace_id}>{trace_id.slice(0, 8)}</Id> : ''),
};

function AccountRecords({ filters }: { filters: Filters }) {
  const pages = usePages(['audit', 'accounts', filters], (cursor) =>
    reads.get('/v1/audit/accounts', { params: { query: { ...filters, ...cursor } } }),
  );
  return (
    <List<Schema<'AccountAuditRecord'>>
      caption="Changes of accounts"
      pages={pages}
      keyOf={({ id }) => id}
      columns={[
        WHEN,
        WHAT,
        { head: 'Account', cell: ({ account_id }) => <AccountLink id={account_id} /> },
        {
          head: 'Change',
          cell: ({ before, after, reason }) => (
            <>
              <Changes before={before} after={after} />
              {reason && <div className="small">“{reason}”</div>}
            </>
          ),
        },
        WHO,
        TRACE,
      ]}
      empty="No changes"
    />
  );
}

/** Only the fields that differ. */
function Changes({ before, after }: { before: object | null; after: object }): ReactNode {
  const [was, is] = [flat(before ?? {}), flat(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => was[name] !== is[name] && !isNoise(name, is[name], before === null),
  );
  return (
    <ul className="diff">
      {names.map((name) => (
        <li key={name}>
          {name}: {name in was && <del>{was[name]}</del>} {name in is && <ins>{is[name]}</ins>}
        </li>
      ))}
    </ul>
  );
}

/** The version rises with each change. Of something new, its id has a column, and empty fields say nothing. */
function isNoise(name: string, value: string | undefined, isNew: boolean): boolean {
  return name === 'version' || (isNew && (name === 'id' || value === 'null'));
}

function flat(value: object, prefix = ''): { [name: string]: string } {
  const parts = Object.entries(value).map(([name, each]): { [name: string]: string } =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? flat(each, `${prefix}${name}.`)
      : { [prefix + name]: JSON.stringify(each) },
  );
  return Object.assign({}, ...parts);
}

function PaymentRecords({ filters }: { filters: Filters }) {
  const pages = usePages(['audit', 'payments', filters], (cursor) =>
    reads.get('/v1/audit/payments', { params: { query: { ...filters, ...cursor } } }),
  );
  return (
    <List<Schema<'PaymentAuditRecord'>>
      caption="Actions of operators on payments"
      pages={pages}
      keyOf={({ id }) => id}
      columns={[
        WHEN,
        WHAT,
        { head: 'Outcome', cell: ({ outcome }) => <Badge state={outcome} /> },
        { head: 'Payment', cell: ({ payment_id }) => <PaymentLink id={payment_id} /> },
        { head: 'Account', cell: ({ account_id }) => <AccountLink id={account_id} /> },
        {
          head: 'Amount',
          right: true,
          cell: ({ amount, currency }) => <Money amount={amount} currency={currency} />,
        },
        WHO,
        TRACE,
      ]}
      empty="No actions"
    />
  );
}

function IdentityRecords({ filters }: { filters: Filters }) {
  const pages = usePages(['audit', 'identities', filters], (cursor) =>
    reads.get('/v1/audit/identities', { params: { query: { ...filters, ...cursor } } }),
  );
  return (
    <List<Schema<'IdentityAuditRecord'>>
      caption="Changes of users, API clients and keys"
      pages={pages}
      keyOf={({ id }) => id}
      columns={[
        WHEN,
        WHAT,
        { head: 'Subject', cell: ({ subject_id }) => <Id id={subject_id} /> },
        { head: 'Details', cell: ({ details }) => <Changes before={null} after={details} /> },
        WHO,
        TRACE,
      ]}
      empty="No changes"
    />
  );
}

function WebhookRecords({ filters }: { filters: Filters }) {
  const pages = usePages(['audit', 'webhooks', filters], (cursor) =>
    reads.get('/v1/audit/webhooks', { params: { query: { ...filters, ...cursor } } }),
  );
  return (
    <List<Schema<'WebhookAuditRecord'>>
      caption="Changes of webhook endpoints"
      pages={pages}
      keyOf={({ id }) => id}
      columns={[
        WHEN,
        WHAT,
        { head: 'Endpoint', cell: ({ endpoint_id }) => <Id id={endpoint_id} /> },
        { head: 'Owner', cell: ({ owner_id }) => <Id id={owner_id} /> },
        WHO,
        TRACE,
      ]}
      empty="No changes"
    />
  );
}

function DeadLetterRecords({ filters }: { filters: Filters }) {
  const pages = usePages(['audit', 'dead-letters', filters], (cursor) =>
    reads.get('/v1/audit/dead-letters', { params: { query: { ...filters, ...cursor } } }),
  );
  return (
    <List<Schema<'DeadLetterAuditRecord'>>
      caption="Dead letters that were sent back"
      pages={pages}
      keyOf={({ id }) => id}
      columns={[
        WHEN,
        WHAT,
        {
          head: 'Messages',
          cell: ({ dead_letter_id, source, reason }) =>
            dead_letter_id ? (
              <Id id={dead_letter_id} />
            ) : (
              [source, reason].filter(Boolean).join(', ') || 'all'
            ),
        },
        { head: 'Sent back', right: true, cell: ({ redriven }) => redriven ?? 'unknown' },
        WHO,
        TRACE,
      ]}
      empty="None were sent back"
    />
  );
}
