/** One account: balances, limits and their use, the statement, and what operators may change. */
import { type Schema, toDecimal } from '@payflowx/client';
import { Link, useParams } from '@tanstack/react-router';
import { type FormEvent, lazy, Suspense, useMemo, useState } from 'react';
import { api, codeOf, reads, refresh, usePages, useRead } from '../api/api.ts';
import { useExponents } from '../api/currencies.ts';
import { formatMinor, parseMinor } from '../money/minor-units.ts';
import { useRoles } from '../session/session.ts';
import { saveCsv } from '../ui/csv.ts';
import { ConfirmButton, Dialog, TextField, useRun } from '../ui/form.tsx';
import { DownloadIcon } from '../ui/icons.tsx';
import { PaymentLink } from '../ui/links.tsx';
import {
  Badge,
  Card,
  Empty,
  ErrorNote,
  Facts,
  Figures,
  Id,
  Loaded,
  Loading,
  Money,
  PageHead,
  readable,
  Time,
  UsageBar,
} from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';
import { PAYMENT_COLUMNS } from './payments.tsx';

const Plot = lazy(() => import('../ui/plot.tsx').then((module) => ({ default: module.Plot })));

type Account = Schema<'Account'>;

const LIVE_MS = 5_000;

export function AccountPage() {
  const { id } = useParams({ from: '/accounts/$id' });
  const account = useRead(
    ['account', id],
    () => reads.get('/v1/accounts/{id}', { params: { path: { id } } }),
    {
      everyMs: LIVE_MS,
    },
  );
  return (
    <Loaded query={account} rows={8}>
      {(data) => (
        <>
          <PageHead
            title={data.name ?? id}
            crumb={<Link to="/accounts">Accounts</Link>}
            actions={
              <>
                <Badge state={data.status} />
                <StateActions account={data} />
              </>
            }
          />
          <Figures
            of={[
              ['Posted', <Money key="p" amount={data.balance.posted} currency={data.currency} />],
              ['On hold', <Money key="h" amount={data.balance.held} currency={data.currency} />],
              ['Available', <Money key="a" amount={data.balance.available} currency={data.currency} />],
            ]}
          />
          <div className="split">
            <Statement account={data} />
            <div className="stack">
              <Limits account={data} />
              <Card title="Details" pad>
                <Facts
                  of={[
                    ['Id', <Id key="id" id={data.id} whole />],
                    ['Owner', data.owner_id ? <Id key="owner" id={data.owner_id} /> : 'The platform'],
                    ['Time zone', data.time_zone],
                    ['Opened', <Time key="opened" at={data.created_at} />],
                    ['Version', data.version],
                  ]}
                />
              </Card>
            </div>
          </div>
          <PaymentsOf id={id} />
        </>
      )}
    </Loaded>
  );
}

const STEPS = {
  freeze: ['ACTIVE', 'Freeze', 'Payments from and to the account are declined until it is unfrozen.'],
  unfreeze: ['FROZEN', 'Unfreeze', 'The account takes part in payments again.'],
  close: [
    'ACTIVE',
    'Close',
    'The account is closed for good. Its balance must be zero, and nothing may be on hold.',
  ],
} as const;

function StateActions({ account }: { account: Account }) {
  const { has } = useRoles();
  if (!has('operator') || account.id.startsWith('external:')) return null;
  const act = async (step: keyof typeof STEPS, reason: string) => {
    await api.post(`/v1/accounts/{id}/${step}`, {
      params: { path: { id: account.id }, header: { 'if-match': `"${account.version}"` } },
      body: reason ? { reason } : {},
    });
    await refresh('account', 'accounts');
  };
  const steps = (Object.keys(STEPS) as (keyof typeof STEPS)[]).filter(
    (step) => STEPS[step][0] === account.status,
  );
  return steps.map((step) => (
    <ConfirmButton
      key={step}
      label={`${STEPS[step][1]}…`}
      confirm={STEPS[step][1]}
      title={`${STEPS[step][1]} this account?`}
      effect={STEPS[step][2]}
      danger={step !== 'unfreeze'}
      reason
      action={(reason) => act(step, reason)}
    />
  ));
}

const AMOUNT_LIMITS = [
  ['per_payment', 'Each payment'],
  ['daily', 'Each day'],
  ['monthly', 'Each month'],
] as const;

function Limits({ account }: { account: Account }) {
  const { limits, usage, currency, id } = account;
  const { has } = useRoles();
  const [open, setOpen] = useState(false);
  const money = (amount: number) => <Money amount={amount} currency={currency} />;
  const isBounded = Object.values(limits).some((limit) => limit !== null);
  return (
    <Card
      title="Limits"
      actions={
        has('operator') &&
        !id.startsWith('external:') && (
          <button type="button" className="button tiny" onClick={() => setOpen(true)}>
            Edit…
          </button>
        )
      }
      pad
    >
      <div className="stack">
        {!isBounded && <p className="quiet">The account has no limits.</p>}
        {limits.per_payment !== null && <p>Each payment: at most {money(limits.per_payment)}</p>}
        {limits.daily !== null && (
          <div>
            <p>
              Today: {money(usage.daily)} of {money(limits.daily)}
            </p>
            <UsageBar label="Daily limit" used={usage.daily} limit={limits.daily} />
          </div>
        )}
        {limits.monthly !== null && (
          <div>
            <p>
              This month: {money(usage.monthly)} of {money(limits.monthly)}
            </p>
            <UsageBar label="Monthly limit" used={usage.monthly} limit={limits.monthly} />
          </div>
        )}
        {limits.daily_count !== null && (
          <div>
            <p className="num">
              Payments today: {usage.daily_count} of {limits.daily_count}
            </p>
            <UsageBar label="Payments each day" used={usage.daily_count} limit={limits.daily_count} />
          </div>
        )}
      </div>
      {open && <LimitsDialog account={account} onClose={() => setOpen(false)} />}
    </Card>
  );
}

/** Sends only what was changed. If another operator changed the account meanwhile, nothing is saved, and the dialog says so. */
function LimitsDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const exponent = useExponents()(account.currency) ?? 0;
  // The version that the person sees, not one that was loaded while the dialog is open.
  const [seen, setSeen] = useState(account);
  const { busy, error, run } = useRun();
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void run(async () => {
      const limits = Object.fromEntries(
        [...AMOUNT_LIMITS.map(([name]) => name), 'daily_count' as const].map((name) => {
          const text = String(form.get(name) ?? '').trim();
          if (text === '') return [name, null];
          const parsed = parseMinor(text, name === 'daily_count' ? 0 : exponent);
          if ('error' in parsed) throw new Error(`${readable(name)}: ${parsed.error}`);
          return [name, parsed.amount];
        }),
      );
      await api.patch('/v1/accounts/{id}', {
        params: { path: { id: seen.id }, header: { 'if-match': `"${seen.version}"` } },
        body: { limits },
      });
      await refresh('account', 'accounts');
      onClose();
    });
  };
  const loadTheirs = async () => {
    const { data } = await reads.get('/v1/accounts/{id}', { params: { path: { id: seen.id } } });
    setSeen(data);
  };
  const isStale = codeOf(error) === 'VERSION_MISMATCH';
  return (
    <Dialog title="Limits of the account" onClose={onClose}>
      <form className="stack" onSubmit={save} key={seen.version}>
        <p className="quiet small">An empty field means no limit.</p>
        {AMOUNT_LIMITS.map(([name, label]) => (
          <TextField
            key={name}
            name={name}
            label={`${label} (${seen.currency})`}
            inputMode="decimal"
            defaultValue={seen.limits[name] === null ? '' : toDecimal(seen.limits[name], exponent)}
          />
        ))}
        <TextField
          name="daily_count"
          label="Payments each day"
          inputMode="numeric"
          defaultValue={seen.limits.daily_count ?? ''}
        />
        {error !== undefined && <ErrorNote error={error} />}
        {isStale && (
          <div className="note warn">
            <p>
              Another person changed the account. Their values are below when you load them; nothing of yours
              was saved.
            </p>
            <div>
              <button type="button" className="button tiny" onClick={() => void run(loadTheirs)}>
                Load their values
              </button>
            </div>
          </div>
        )}
        <div className="actions">
          <button type="button" className="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const DAY_MS = 86_400_000;

function Statement({ account }: { account: Account }) {
  const exponent = useExponents()(account.currency) ?? 0;
  const [days, setDays] = useState(30);
  // Fixed while the page is open, so that all pages of the statement are about the same time.
  const range = useMemo(() => {
    const to = Date.now() + 60_000;
    return { from: new Date(to - days * DAY_MS).toISOString(), to: new Date(to).toISOString() };
  }, [days]);
  const path = { id: account.id };
  const statement = usePages(
    ['account', account.id, 'statement', range],
    (cursor) =>
      reads.get('/v1/ledger/accounts/{id}/statement', {
        params: { path, query: { ...range, limit: 100, ...cursor } },
      }),
    { everyMs: LIVE_MS },
  );
  const rows = (statement.items ?? []).toSorted((a, b) =>
    a.entry.created_at.localeCompare(b.entry.created_at),
  );
  const times = rows.map(({ entry }) => Date.parse(entry.created_at) / 1_000);
  const save = () => {
    saveCsv(
      `statement-${account.id}.csv`,
      ['created_at', 'payment_id', 'direction', 'amount', 'balance', 'currency'],
      rows.map(({ entry, balance }) => [
        ...[entry.created_at, entry.payment_id, entry.direction],
        ...[toDecimal(entry.amount, exponent), toDecimal(balance, exponent), entry.currency],
      ]),
    );
  };
  return (
    <Card
      title="Statement"
      actions={
        <>
          {[7, 30, 90].map((each) => (
            <button
              key={each}
              type="button"
              className="button tiny"
              aria-pressed={each === days}
              onClick={() => setDays(each)}
            >
              {each} days
            </button>
          ))}
          <button type="button" className="button tiny" onClick={save} disabled={rows.length === 0}>
            <DownloadIcon /> CSV
          </button>
        </>
      }
    >
      {rows.length > 1 && (
        <div className="body">
          <Suspense fallback={<Loading rows={4} />}>
            <Plot
              label={`Balance of the account over ${days} days`}
              times={times}
              series={[
                {
                  label: `Balance in ${account.currency}`,
                  tone: 'info',
                  stepped: true,
                  values: rows.map(({ balance }) => balance),
                },
              ]}
              format={(value) => formatMinor(Math.round(value), exponent)}
            />
          </Suspense>
        </div>
      )}
      <List
        caption="Statement"
        pages={statement}
        keyOf={({ entry }) => entry.id}
        columns={[
          { head: 'Time', cell: ({ entry }) => <Time at={entry.created_at} /> },
          { head: 'Payment', cell: ({ entry }) => <PaymentLink id={entry.payment_id} /> },
          {
            head: 'Amount',
            right: true,
            cell: ({ entry }) => (
              <Money
                amount={entry.direction === 'credit' ? entry.amount : -entry.amount}
                currency={entry.currency}
              />
            ),
          },
          {
            head: 'Balance',
            right: true,
            cell: ({ entry, balance }) => <Money amount={balance} currency={entry.currency} />,
          },
        ]}
        empty={<Empty title="No movements in this time">Posted movements appear here.</Empty>}
      />
    </Card>
  );
}

function PaymentsOf({ id }: { id: string }) {
  const pages = usePages(
    ['payments', 'of', id],
    (cursor) => reads.get('/v1/payments', { params: { query: { account_id: id, limit: 10, ...cursor } } }),
    { everyMs: LIVE_MS },
  );
  return (
    <Card title="Payments">
      <List
        caption="Payments of the account"
        pages={pages}
        columns={PAYMENT_COLUMNS}
        keyOf={(payment) => payment.id}
        hrefOf={(payment) => `/payments/${payment.id}`}
        empty="No payments yet"
      />
    </Card>
  );
}
