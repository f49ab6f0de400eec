/** All payments that the person may see, by filters, newest first and live. */
import { type Schema, toDecimal } from '@payflowx/client';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { reads, refreshNewest, usePages } from '../api/api.ts';
import { useExponents } from '../api/currencies.ts';
import { liveEveryMs, useNewEvents } from '../api/live.ts';
import { parseMinor } from '../money/minor-units.ts';
import { useRoles } from '../session/session.ts';
import { saveCsv } from '../ui/csv.ts';
import { SelectField, TextField, useRun } from '../ui/form.tsx';
import { DownloadIcon } from '../ui/icons.tsx';
import { PaymentLink, Sides } from '../ui/links.tsx';
import { Badge, Card, Empty, ErrorNote, Money, PageHead, readable, Time } from '../ui/parts.tsx';
import { type Column, List } from '../ui/table.tsx';

type Payment = Schema<'Payment'>;
type Filters = Record<string, string>;

const STATES = [
  ...['INITIATED', 'AUTHORIZED', 'PARTIALLY_CAPTURED', 'COMPLETED', 'FAILED'],
  ...['CANCELLED', 'EXPIRED', 'PARTIALLY_REFUNDED', 'REFUNDED'],
];
/** An export ends here. A longer one is a task for the API. */
const MAX_EXPORTED = 5_000;

export const PAYMENT_COLUMNS: Column<Payment>[] = [
  { head: 'Payment', cell: ({ id }) => <PaymentLink id={id} /> },
  { head: 'State', cell: ({ state }) => <Badge state={state} /> },
  {
    head: 'What',
    cell: ({ kind, reference, description, failure }) => (
      <>
        {description ?? reference ?? <span className="quiet">{readable(kind)}</span>}
        {failure && <div className="small quiet">{readable(failure.code)}</div>}
      </>
    ),
  },
  {
    head: 'From and to',
    cell: (payment) => <Sides of={payment} />,
  },
  { head: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
  {
    head: 'Amount',
    right: true,
    cell: ({ amount, currency }) => <Money amount={amount} currency={currency} />,
  },
];

/** The filters of the address as the API wants them. Amounts need a currency, because of its decimals. */
function queryOf(
  { amount_min, amount_max, created_after, created_before, ...rest }: Filters,
  exponent?: number,
) {
  const minor = (text: string | undefined) => {
    const parsed = text && exponent !== undefined ? parseMinor(text, exponent) : undefined;
    return parsed && 'amount' in parsed ? parsed.amount : undefined;
  };
  const time = (text: string | undefined) => (text ? new Date(text).toISOString() : undefined);
  const query = {
    ...rest,
    amount_min: minor(amount_min),
    amount_max: minor(amount_max),
    created_after: time(created_after),
    created_before: time(created_before),
  };
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}

export function PaymentsPage() {
  const filters: Filters = useSearch({ from: '/payments' });
  const exponent = useExponents()(filters.currency ?? 'EUR');
  const query = queryOf(filters, exponent);
  const { has } = useRoles();
  const pages = usePages(
    ['payments', query],
    (cursor) => reads.get('/v1/payments', { params: { query: { ...query, ...cursor } } }),
    { everyMs: liveEveryMs(4_000) },
  );
  useNewEvents(() => refreshNewest('payments'));
  return (
    <>
      <PageHead title="Payments" actions={<Export query={query} />}>
        {has('operator', 'auditor')
          ? 'Payments, deposits and withdrawals of all accounts. New ones appear by themselves.'
          : 'Payments from and to your accounts. New ones appear by themselves.'}
      </PageHead>
      <Card>
        <FilterForm key={JSON.stringify(filters)} filters={filters} />
        <List
          caption="Payments"
          pages={pages}
          columns={PAYMENT_COLUMNS}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `/payments/${id}`}
          empty={
            Object.keys(filters).length > 0 ? (
              <Empty title="No payment fits these filters">Remove one of them, or widen its range.</Empty>
            ) : (
              <Empty title="No payments yet">The first payment appears here.</Empty>
            )
          }
        />
      </Card>
    </>
  );
}

function FilterForm({ filters }: { filters: Filters }) {
  const navigate = useNavigate();
  const apply = (form: HTMLFormElement) => {
    const entries = [...new FormData(form)].filter(([, value]) => value !== '');
    void navigate({ to: '/payments', search: Object.fromEntries(entries) as Filters });
  };
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        apply(event.currentTarget);
      }}
    >
      <SelectField
        label="State"
        name="state"
        defaultValue={filters.state ?? ''}
        options={[['', 'Any'], ...STATES.map((state) => [state, readable(state)] as const)]}
      />
      <TextField label="Account" name="account_id" defaultValue={filters.account_id} placeholder="acct_…" />
      <TextField label="Mandate" name="mandate_id" defaultValue={filters.mandate_id} placeholder="man_…" />
      <TextField label="Reference" name="reference" defaultValue={filters.reference} />
      <TextField
        label="Currency"
        name="currency"
        defaultValue={filters.currency}
        placeholder="EUR"
        maxLength={3}
      />
      <TextField
        label="Amount from"
        name="amount_min"
        inputMode="decimal"
        defaultValue={filters.amount_min}
      />
      <TextField label="Amount to" name="amount_max" inputMode="decimal" defaultValue={filters.amount_max} />
      <TextField
        label="Created after"
        name="created_after"
        type="datetime-local"
        defaultValue={filters.created_after}
      />
      <TextField
        label="Created before"
        name="created_before"
        type="datetime-local"
        defaultValue={filters.created_before}
      />
      <div className="row">
        <button type="submit" className="button primary">
          Filter
        </button>
        {Object.keys(filters).length > 0 && (
          <button
            type="button"
            className="button"
            onClick={() => void navigate({ to: '/payments', search: {} })}
          >
            Clear
          </button>
        )}
      </div>
    </form>
  );
}

function Export({ query }: { query: object }) {
  const exponentOf = useExponents();
  const [note, setNote] = useState('');
  const { busy, error, run } = useRun();
  const save = async () => {
    const rows: Payment[] = [];
    for await (const payment of reads.list('/v1/payments', { params: { query: { ...query, limit: 100 } } })) {
      if (rows.length === MAX_EXPORTED) break;
      rows.push(payment);
      if (rows.length % 100 === 0) setNote(`${rows.length} …`);
    }
    const head = ['id', 'created_at', 'state', 'kind', 'from_account', 'to_account', 'amount', 'currency'];
    saveCsv(
      'payments.csv',
      [...head, 'captured', 'refunded', 'reference', 'description', 'failure'],
      [
        ...rows.map((payment) => {
          const text = (amount: number) => toDecimal(amount, exponentOf(payment.currency) ?? 0);
          return [
            ...[payment.id, payment.created_at, payment.state, payment.kind],
            ...[payment.from_account, payment.to_account, text(payment.amount), payment.currency],
            ...[text(payment.amount_captured), text(payment.amount_refunded)],
            ...[payment.reference, payment.description, payment.failure?.code],
          ];
        }),
      ],
    );
    setNote(rows.length === MAX_EXPORTED ? `The newest ${MAX_EXPORTED} were saved.` : '');
  };
  return (
    <>
      {error !== undefined && <ErrorNote error={error} />}
      {note && (
        <span className="quiet small" role="status">
          {note}
        </span>
      )}
      <button type="button" className="button" disabled={busy} onClick={() => void run(save)}>
        <DownloadIcon /> Export CSV
      </button>
    </>
  );
}
