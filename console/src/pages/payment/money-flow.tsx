/** The money of a payment as a picture: who pays whom, and how much is held, moved and given back. */
import type { Schema } from '@payflowx/client';
import type { ReactNode } from 'react';
import { AccountLink } from '../../ui/links.tsx';
import { Money, readable } from '../../ui/parts.tsx';

type Payment = Schema<'Payment'>;

const HOLDING = ['AUTHORIZED', 'PARTIALLY_CAPTURED'];

export function MoneyFlow({ payment, refunds }: { payment: Payment; refunds: Schema<'Refund'>[] }) {
  const { amount, amount_captured: captured, amount_refunded: refunded, currency, state } = payment;
  const held = HOLDING.includes(state) ? amount - captured : 0;
  const notMoved = amount - captured - held;
  const money = (minor: number) => <Money amount={minor} currency={currency} />;
  return (
    <div className="stack">
      <div className="flow">
        <div className="side-box">
          <span className="quiet small">From</span>
          <AccountLink id={payment.from_account} />
        </div>
        <div className="streams">
          {held > 0 && <Stream series="info" held label={<>{money(held)} on hold</>} />}
          {captured > 0 && <Stream series="good" label={money(captured)} />}
          {refunds.map((refund) => (
            <Stream
              key={refund.id}
              series={refund.state === 'FAILED' ? 'bad' : 'warn'}
              back
              held={refund.state !== 'COMPLETED'}
              label={
                <>
                  {money(refund.amount)} refund{refund.state !== 'COMPLETED' && `, ${readable(refund.state)}`}
                </>
              }
            />
          ))}
          {held === 0 && captured === 0 && (
            <p className="quiet small center">No money moved: {readable(state).toLowerCase()}</p>
          )}
        </div>
        <div className="side-box">
          <span className="quiet small">To</span>
          <AccountLink id={payment.to_account} />
        </div>
      </div>
      <Shares
        total={amount}
        parts={[
          ['Kept by the receiver', captured - refunded, 'good'],
          ['Refunded', refunded, 'warn'],
          ['On hold', held, 'info'],
          [state === 'FAILED' ? 'Declined' : 'Not taken', state === 'INITIATED' ? 0 : notMoved, 'bad'],
        ]}
        money={money}
      />
    </div>
  );
}

function Stream({
  series,
  label,
  back = false,
  held = false,
}: {
  series: string;
  label: ReactNode;
  back?: boolean;
  held?: boolean;
}) {
  return <div className={`stream series-${series} ${back ? 'back' : ''} ${held ? 'held' : ''}`}>{label}</div>;
}

type Part = [name: string, amount: number, series: string];

function Shares({
  total,
  parts,
  money,
}: {
  total: number;
  parts: Part[];
  money: (minor: number) => ReactNode;
}) {
  const shown = parts.filter(([, amount]) => amount > 0);
  let from = 0;
  return (
    <div className="stack">
      <svg className="shares" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        {shown.map(([name, amount, series]) => {
          const width = (amount / total) * 1_000;
          from += width;
          return (
            <rect key={name} className={`series-${series}`} x={from - width} width={width} height="10" />
          );
        })}
      </svg>
      <div className="legend">
        {shown.map(([name, amount, series]) => (
          <span key={name} className={`series-${series}`}>
            {name} {money(amount)}
          </span>
        ))}
      </div>
    </div>
  );
}
