/** Capture, cancel and refund. Each amount is in the decimals of the currency, and each request survives a reload with its key. */
import { type Schema, toDecimal } from '@payflowx/client';
import { type FormEvent, useState } from 'react';
import { api, refresh } from '../../api/api.ts';
import { useExponents } from '../../api/currencies.ts';
import { type ActionState, type KeyedAction, useKeyedAction } from '../../api/keyed-action.ts';
import { useMayActFor } from '../../api/own-accounts.ts';
import { AmountField, CheckField, Dialog, TextField, useParseAmount } from '../../ui/form.tsx';
import { Card, ErrorNote, Money } from '../../ui/parts.tsx';

type Payment = Schema<'Payment'>;

interface Capture {
  amount: number;
  final: boolean;
}

interface Refund {
  amount: number;
  reason?: string;
}

const HELD = ['AUTHORIZED', 'PARTIALLY_CAPTURED'];
const REFUNDABLE = ['PARTIALLY_CAPTURED', 'COMPLETED', 'PARTIALLY_REFUNDED'];

export function PaymentActions({ payment }: { payment: Payment }) {
  const { id, state, kind, capture_by } = payment;
  const path = { id };
  const mayActFor = useMayActFor();
  const mayActAsReceiver = mayActFor(payment.to_account);
  const mayCapture = capture_by === 'payee' ? mayActAsReceiver : mayActFor(payment.from_account);

  const after = async <T,>(sent: Promise<T>): Promise<T> => {
    const answer = await sent;
    await refresh('payment', 'payments', 'accounts', 'account');
    return answer;
  };
  const capture = useKeyedAction<Capture, unknown>(`capture:${id}`, ({ key, body }) =>
    after(api.post('/v1/payments/{id}/capture', { params: { path }, body, key })),
  );
  const cancel = useKeyedAction<object, unknown>(`cancel:${id}`, ({ key }) =>
    after(api.post('/v1/payments/{id}/cancel', { params: { path }, body: {}, key })),
  );
  const refund = useKeyedAction<Refund, unknown>(`refund:${id}`, ({ key, body }) =>
    after(api.post('/v1/payments/{id}/refunds', { params: { path }, body, key })),
  );

  const isHeld = mayCapture && HELD.includes(state);
  const isRefundable =
    REFUNDABLE.includes(state) && payment.amount_captured > payment.amount_refunded && kind === 'payment';
  const canCapture = isHeld && capture.canStart;
  const canCancel = isHeld && cancel.canStart;
  const canRefund = mayActAsReceiver && isRefundable && refund.canStart;
  const states = [
    ['capture', 'The capture', capture],
    ['cancel', 'The cancellation', cancel],
    ['refund', 'The refund', refund],
  ] as const;
  const isQuiet = states.every(([, , { state: each }]) => each.phase === 'idle');
  if (!canCapture && !canCancel && !canRefund && isQuiet) return null;
  return (
    <Card title="Actions" pad>
      <div className="stack">
        <div className="row">
          {canCapture && <CaptureButton payment={payment} start={capture.start} />}
          {canRefund && <RefundButton payment={payment} start={refund.start} />}
          {canCancel && <CancelButton payment={payment} start={() => cancel.start({})} />}
        </div>
        {states.map(([name, subject, action]) => (
          <Outcome key={name} subject={subject} action={action} />
        ))}
      </div>
    </Card>
  );
}

/** The outcome of an action, after a reload too. */
export function Outcome<Body, Result>({
  subject,
  action: { state, retry, giveUp },
}: {
  subject: string;
  action: KeyedAction<Body, Result>;
}) {
  if (state.phase === 'idle') return null;
  if (state.phase === 'failed') {
    return (
      <div className="stack">
        {state.isOpen && (
          <p className="note warn">
            {subject} may have happened. Try again: the same key keeps it from happening twice. Give up only
            after you have looked whether it happened.
          </p>
        )}
        <ErrorNote error={state.error} />
        {state.isOpen && (
          <div className="actions">
            <button type="button" className="button" onClick={giveUp}>
              Give up after checking
            </button>
            <button type="button" className="button primary" onClick={() => void retry()}>
              Try again with the same key
            </button>
          </div>
        )}
      </div>
    );
  }
  return (
    <p className={`note ${state.phase === 'done' ? 'good' : 'info'}`} role="status">
      {subject} {progressOf(state)}
    </p>
  );
}

function progressOf(
  state: Extract<ActionState<unknown>, { phase: 'sending' | 'accepted' | 'done' }>,
): string {
  if (state.phase === 'sending') return 'is being sent…';
  if (state.phase === 'accepted') return 'is in progress: the platform has it and carries it out.';
  return state.resumed
    ? 'is done. It was sent again after the reload, with the same key: it happened once.'
    : 'is done.';
}

function CaptureButton({ payment, start }: { payment: Payment; start: (body: Capture) => unknown }) {
  const [open, setOpen] = useState(false);
  const rest = payment.amount - payment.amount_captured;
  return (
    <>
      <button type="button" className="button primary" onClick={() => setOpen(true)}>
        Capture…
      </button>
      {open && (
        <AmountDialog
          title="Capture the payment"
          label="Amount to capture"
          verb="Capture"
          max={rest}
          currency={payment.currency}
          onClose={() => setOpen(false)}
          extra={(values, set) => (
            <CheckField
              label="This is the last capture: release what is left on hold"
              checked={values.final}
              onChange={(event) => set({ ...values, final: event.target.checked })}
            />
          )}
          initial={{ final: true }}
          send={(amount, { final }) => start({ amount, final })}
        />
      )}
    </>
  );
}

function RefundButton({ payment, start }: { payment: Payment; start: (body: Refund) => unknown }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Refund…
      </button>
      {open && (
        <AmountDialog
          title="Refund the payment"
          label="Amount to refund"
          verb="Refund"
          max={payment.amount_captured - payment.amount_refunded}
          currency={payment.currency}
          onClose={() => setOpen(false)}
          initial={{ reason: '' }}
          extra={(values, set) => (
            <TextField
              label="Reason"
              hint="Both sides of the payment can read it."
              maxLength={500}
              value={values.reason}
              onChange={(event) => set({ reason: event.target.value })}
            />
          )}
          send={(amount, { reason }) => start({ amount, ...(reason && { reason }) })}
        />
      )}
    </>
  );
}

function CancelButton({ payment, start }: { payment: Payment; start: () => unknown }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button danger" onClick={() => setOpen(true)}>
        Cancel…
      </button>
      {open && (
        <Dialog title="Cancel the payment" onClose={() => setOpen(false)}>
          <p>
            The hold of{' '}
            <Money amount={payment.amount - payment.amount_captured} currency={payment.currency} />
            is released to the payer. This cannot be undone.
          </p>
          <div className="actions">
            <button type="button" className="button" onClick={() => setOpen(false)}>
              Keep the payment
            </button>
            <button
              type="button"
              className="button danger"
              onClick={() => {
                setOpen(false);
                void start();
              }}
            >
              Cancel the payment
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function AmountDialog<Values>({
  title,
  label,
  verb,
  max,
  currency,
  initial,
  extra,
  send,
  onClose,
}: {
  title: string;
  label: string;
  verb: string;
  /** Minor units. */
  max: number;
  currency: string;
  initial: Values;
  extra: (values: Values, set: (values: Values) => void) => React.ReactNode;
  send: (amount: number, values: Values) => unknown;
  onClose: () => void;
}) {
  const exponent = useExponents()(currency) ?? 0;
  const parse = useParseAmount();
  const [text, setText] = useState(toDecimal(max, exponent));
  const [values, setValues] = useState(initial);
  const [error, setError] = useState<string>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parse(text, currency);
    if ('error' in parsed) return setError(parsed.error);
    if (parsed.amount > max) return setError(`At most ${toDecimal(max, exponent)} ${currency} is left.`);
    onClose();
    void send(parsed.amount, values);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <AmountField
          label={label}
          currency={currency}
          hint={
            <>
              Up to <Money amount={max} currency={currency} />
            </>
          }
          error={error}
          value={text}
          onChange={setText}
        />
        {extra(values, setValues)}
        <div className="actions">
          <button type="button" className="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" className="button primary">
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
