/** The mandates by which payees collect. Customers see those of their accounts, on either side. */
import type { Schema } from '@payflowx/client';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { api, reads, refresh, usePages } from '../api/api.ts';
import { useMayActFor } from '../api/own-accounts.ts';
import { ConfirmButton, SelectField } from '../ui/form.tsx';
import { Sides } from '../ui/links.tsx';
import { Badge, Card, Empty, Id, Money, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

type Mandate = Schema<'Mandate'>;

const STATES = ['active', 'revoked', 'expired'];

export function MandatesPage() {
  const filters = useSearch({ from: '/mandates' });
  const navigate = useNavigate();
  const pages = usePages(
    ['mandates', filters],
    (cursor) => reads.get('/v1/mandates', { params: { query: { ...filters, ...cursor } } }),
    { everyMs: 5_000 },
  );
  const mayRevoke = useMayRevoke();
  return (
    <>
      <PageHead title="Mandates">
        By a mandate, a payer lets one payee collect. The payer can revoke it at any time.
      </PageHead>
      <Card>
        <div className="filters">
          <SelectField
            label="State"
            value={filters.state ?? ''}
            onChange={(event) =>
              void navigate({
                to: '/mandates',
                search: event.target.value ? { state: event.target.value } : {},
              })
            }
            options={[['', 'Any'], ...STATES.map((state) => [state, state] as const)]}
          />
        </div>
        <List
          caption="Mandates"
          pages={pages}
          keyOf={({ id }) => id}
          columns={[
            {
              head: 'Mandate',
              cell: ({ id, reference }) => (
                <>
                  <Id id={id} />
                  {reference && <div className="small quiet">{reference}</div>}
                </>
              ),
            },
            { head: 'State', cell: ({ state }) => <Badge state={state} /> },
            { head: 'From and to', cell: (mandate) => <Sides of={mandate} /> },
            { head: 'Until', cell: ({ valid_until }) => <Time at={valid_until} /> },
            { head: 'A payment', right: true, cell: (mandate) => limitOf(mandate, mandate.per_payment) },
            { head: 'A day', right: true, cell: (mandate) => limitOf(mandate, mandate.daily) },
            { head: 'A month', right: true, cell: (mandate) => limitOf(mandate, mandate.monthly) },
            {
              head: 'Collected',
              cell: ({ id }) => (
                <Link to="/payments" search={{ mandate_id: id }}>
                  payments
                </Link>
              ),
            },
            { head: 'Revoke', cell: (mandate) => mayRevoke(mandate) && <Revoke id={mandate.id} /> },
          ]}
          empty={<Empty title="No mandates">A payer makes a mandate with the API: POST /v1/mandates.</Empty>}
        />
      </Card>
    </>
  );
}

function limitOf({ currency }: Mandate, amount: number | null) {
  return amount === null ? (
    <span className="quiet">no limit</span>
  ) : (
    <Money amount={amount} currency={currency} />
  );
}

/** Operators and the payer revoke. */
function useMayRevoke(): (mandate: Mandate) => boolean {
  const mayActFor = useMayActFor();
  return ({ state, from_account }) => state === 'active' && mayActFor(from_account);
}

function Revoke({ id }: { id: string }) {
  return (
    <ConfirmButton
      label="Revoke…"
      confirm="Revoke the mandate"
      title="Revoke this mandate?"
      effect="The payee can collect nothing more by it. This cannot be undone. Money that is already on hold stays on hold."
      tiny
      action={async () => {
        await api.post('/v1/mandates/{id}/revoke', { params: { path: { id } }, body: {} });
        await refresh('mandates');
      }}
    />
  );
}
