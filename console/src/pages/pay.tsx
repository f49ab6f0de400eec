/** Pays from an own account. The decision is simulated and shown first. */
import type { Schema } from '@payflowx/client';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { api, refresh } from '../api/api.ts';
import { useKeyedAction } from '../api/keyed-action.ts';
import { useOwnAccounts } from '../api/own-accounts.ts';
import { AmountField, CheckField, SelectField, TextField, useParseAmount, useRun } from '../ui/form.tsx';
import { Badge, Card, Empty, ErrorNote, Loaded, Money, PageHead } from '../ui/parts.tsx';
import { Outcome } from './payment/payment-actions.tsx';
import { Checks } from './payment.tsx';

type NewPayment = Schema<'NewPayment'>;

export function PayPage() {
  const accounts = useOwnAccounts();
  return (
    <>
      <PageHead title="Pay">You see the decision before any money moves.</PageHead>
      <Loaded query={accounts}>
        {(own) =>
          own.length === 0 ? (
            <Empty title="You have no account">An operator opens accounts.</Empty>
          ) : (
            <PayForm accounts={own} />
          )
        }
      </Loaded>
    </>
  );
}

function PayForm({ accounts }: { accounts: Schema<'Account'>[] }) {
  const navigate = useNavigate();
  const [from, setFrom] = useState(accounts[0]?.id ?? '');
  const [to, setTo] = useState('');
  const [amount, setAmount] = useState('');
  const [description, setDescription] = useState('');
  const [reference, setReference] = useState('');
  const [manual, setManual] = useState(false);
  const [amountError, setAmountError] = useState<string>();
  const [simulated, setSimulated] = useState<{ body: NewPayment; decision: Schema<'Decision'> }>();
  const { busy, error, run } = useRun();
  const parse = useParseAmount();
  const account = accounts.find(({ id }) => id === from);
  const currency = account?.currency ?? '';

  const pay = useKeyedAction<NewPayment, Schema<'Payment'>>('pay', ({ key, body }) =>
    api.post('/v1/payments', { body, key }),
  );
  const paid = 'result' in pay.state ? pay.state.result.id : undefined;
  useEffect(() => {
    if (!paid) return;
    void refresh('payments', 'accounts');
    void navigate({ to: '/payments/$id', params: { id: paid } });
  }, [paid, navigate]);

  const simulate = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parse(amount, currency);
    setAmountError('error' in parsed ? parsed.error : undefined);
    if ('error' in parsed) return;
    const body: NewPayment = {
      from_account: from,
      to_account: to.trim(),
      amount: parsed.amount,
      currency,
      ...(manual && { capture: 'manual' as const }),
      ...(description && { description }),
      ...(reference && { reference }),
    };
    void run(async () => {
      const { data: decision } = await api.post('/v1/payments/simulate', { body });
      setSimulated({ body, decision });
    });
  };
  /** Another request needs another decision. */
  const edit =
    <Value,>(set: (value: Value) => void) =>
    (value: Value) => {
      setSimulated(undefined);
      set(value);
    };
  return (
    <div className="split">
      <Card title="Payment" pad>
        <form className="stack" onSubmit={simulate}>
          <SelectField
            label="From"
            value={from}
            onChange={(event) => edit(setFrom)(event.target.value)}
            options={accounts.map(({ id, name }) => [id, name ?? id] as const)}
            hint={
              account && (
                <>
                  Available: <Money amount={account.balance.available} currency={currency} />
                </>
              )
            }
          />
          <TextField
            label="To account"
            required
            placeholder="acct_…"
            value={to}
            onChange={(event) => edit(setTo)(event.target.value)}
          />
          <AmountField
            label="Amount"
            currency={currency}
            error={amountError}
            value={amount}
            onChange={edit(setAmount)}
          />
          <TextField
            label="Description"
            maxLength={500}
            value={description}
            onChange={(event) => edit(setDescription)(event.target.value)}
          />
          <TextField
            label="Reference"
            maxLength={100}
            value={reference}
            onChange={(event) => edit(setReference)(event.target.value)}
          />
          <CheckField
            label="Only hold the money, and capture it later"
            checked={manual}
            onChange={(event) => edit(setManual)(event.target.checked)}
          />
          {error !== undefined && <ErrorNote error={error} />}
          <div className="actions">
            <button type="submit" className="button primary" disabled={busy}>
              {busy ? 'Asking…' : 'See the decision'}
            </button>
          </div>
        </form>
      </Card>
      <Card title="Decision" pad>
        <div className="stack">
          {simulated ? (
            <>
              <div className="row">
                <Badge state={simulated.decision.outcome} />
                <Money amount={simulated.body.amount} currency={simulated.body.currency} />
              </div>
              {simulated.decision.message && <p>{simulated.decision.message}</p>}
              <Checks checks={simulated.decision.checks} currency={simulated.body.currency} />
              <div className="actions">
                <button
                  type="button"
                  className="button primary"
                  disabled={simulated.decision.outcome !== 'approved' || !pay.canStart}
                  onClick={() => void pay.start(simulated.body)}
                >
                  Pay <Money amount={simulated.body.amount} currency={simulated.body.currency} />
                </button>
              </div>
            </>
          ) : (
            <p className="quiet">Fill in the payment. Nothing is written until you confirm.</p>
          )}
          <Outcome subject="The payment" action={pay} />
        </div>
      </Card>
    </div>
  );
}
