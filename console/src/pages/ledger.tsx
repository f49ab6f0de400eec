/** The journal: its proof, the trial balance, the sealed head, and the verification of a receipt. */
import type { Schema, VerifiedReceipt } from '@payflowx/client';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, refresh, useRead } from '../api/api.ts';
import { saveFile } from '../ui/csv.ts';
import { TextArea, TextField, useRun } from '../ui/form.tsx';
import { AccountLink, PaymentLink } from '../ui/links.tsx';
import { Ago, Badge, Card, ErrorNote, Facts, Figures, Loaded, Money, PageHead, Time } from '../ui/parts.tsx';
import { Table } from '../ui/table.tsx';
import { Verdict } from '../ui/verdict.tsx';

type Proof = Schema<'Proof'>;

export function LedgerPage() {
  const proof = useQuery({
    queryKey: ['proof'],
    queryFn: async ({ signal }) => {
      const { data } = await api.get('/v1/ledger/proof', { signal });
      void refresh('pipeline');
      return data;
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    enabled: false,
  });
  return (
    <>
      <PageHead
        title="Ledger"
        actions={
          <button
            type="button"
            className="button primary"
            disabled={proof.isFetching}
            onClick={() => void proof.refetch()}
          >
            {proof.isFetching ? 'Proving…' : 'Prove the ledger'}
          </button>
        }
      >
        The proof adds up every account, compares it with the balances that payments are decided on, and
        recomputes the chain of hashes.
      </PageHead>
      {proof.isFetching && <Progress />}
      {proof.error && <ErrorNote error={proof.error} retry={() => void proof.refetch()} />}
      <ProofVerdict proof={proof.data} />
      {proof.data && <ProofDetails proof={proof.data} />}
      <div className="halves">
        <Head />
        <VerifyForm />
      </div>
    </>
  );
}

/** The platform reports no steps of a proof, so this shows the time. */
function Progress() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="note info" role="status">
      The ledger reads the whole journal: {seconds} s. It may take two minutes.
    </p>
  );
}

const TITLES = {
  holds: 'The books hold',
  unsettled: 'The books are unsettled',
  broken: 'The books do not hold',
} as const;

const TEXTS = {
  holds: () => 'Every currency sums to zero, every balance agrees, and no sealed entry was changed.',
  unsettled: (count: number) =>
    `${count} accounts differ, and events about them may be on their way. Prove again in a moment.`,
  broken: (count: number) =>
    count === 0
      ? 'The journal contradicts itself.'
      : `${count} accounts differ. Those that are settled differ after every event about them was applied.`,
} as const;

function ProofVerdict({ proof }: { proof: Proof | undefined }) {
  if (!proof) {
    return (
      <Card pad>
        <Verdict title="Not proved on this page yet">
          The proof changes nothing. It reads the whole journal.
        </Verdict>
      </Card>
    );
  }
  return (
    <Card pad>
      <Verdict verdict={proof.verdict} title={TITLES[proof.verdict]}>
        {TEXTS[proof.verdict](proof.difference_count)} Proved <Ago at={proof.proved_at} />.
      </Verdict>
    </Card>
  );
}

function ProofDetails({ proof }: { proof: Proof }) {
  const count = (value: number) => value.toLocaleString('en-GB');
  return (
    <>
      <Figures
        of={[
          ['Transactions', count(proof.transaction_count)],
          ['Entries', count(proof.entry_count)],
          ['Accounts', count(proof.account_count)],
          ['Open holds', count(proof.open_hold_count)],
          ['Not sealed yet', count(proof.unsealed_count)],
          ['Events to come', proof.event_lag === null ? 'unknown' : count(proof.event_lag)],
        ]}
      />
      {proof.first_broken && (
        <p className="note bad">
          The first broken transaction is <code>{proof.first_broken.transaction_id}</code>:{' '}
          {proof.first_broken.detail}
        </p>
      )}
      <Card title="Trial balance">
        <Table
          caption="Trial balance by currency"
          items={proof.trial_balances}
          keyOf={({ currency }) => currency}
          columns={[
            { head: 'Currency', cell: ({ currency }) => currency },
            { head: 'Accounts', right: true, cell: ({ account_count }) => count(account_count) },
            {
              head: 'Sum of posted',
              right: true,
              cell: ({ posted_sum, currency }) => <Money amount={posted_sum} currency={currency} />,
            },
            {
              head: 'Sum of pending',
              right: true,
              cell: ({ pending_sum, currency }) => <Money amount={pending_sum} currency={currency} />,
            },
          ]}
        />
      </Card>
      {proof.differences.length > 0 && (
        <Card title="Differences">
          <Table
            caption="Accounts whose balances differ"
            items={proof.differences}
            keyOf={({ account_id }) => account_id}
            columns={[
              { head: 'Account', cell: ({ account_id }) => <AccountLink id={account_id} /> },
              {
                head: 'State',
                cell: ({ settled }) => (
                  <Badge state={settled ? 'broken' : 'unsettled'}>
                    {settled ? 'Settled: a fault' : 'Unsettled'}
                  </Badge>
                ),
              },
              {
                head: 'Posted, ledger',
                right: true,
                cell: ({ ledger, currency }) => <Money amount={ledger.posted} currency={currency} />,
              },
              {
                head: 'Posted, authorization',
                right: true,
                cell: ({ authorization, currency }) => (
                  <Money amount={authorization.posted} currency={currency} />
                ),
              },
              {
                head: 'Held, ledger',
                right: true,
                cell: ({ ledger, currency }) => <Money amount={ledger.held} currency={currency} />,
              },
              {
                head: 'Held, authorization',
                right: true,
                cell: ({ authorization, currency }) => (
                  <Money amount={authorization.held} currency={currency} />
                ),
              },
            ]}
          />
        </Card>
      )}
    </>
  );
}

function Head() {
  const head = useRead(['head'], () => api.get('/v1/ledger/head'), { everyMs: 10_000 });
  return (
    <Card
      title="Sealed head"
      actions={
        head.data && (
          <button
            type="button"
            className="button tiny"
            onClick={() => saveFile('head.json', 'application/json', JSON.stringify(head.data, null, 2))}
          >
            Download
          </button>
        )
      }
      pad
    >
      <Loaded query={head} rows={3}>
        {(data) => (
          <div className="stack">
            <p className="quiet small">
              Publish or keep this head. It commits to every transaction before it: none can be changed or
              removed without another hash.
            </p>
            <Facts
              of={[
                ['Transactions', data.size.toLocaleString('en-GB')],
                [
                  'Head',
                  <span key="h" className="hash">
                    {data.head_hash}
                  </span>,
                ],
                [
                  'Root',
                  <span key="r" className="hash">
                    {data.root_hash}
                  </span>,
                ],
                [
                  'Previous',
                  <span key="p" className="hash">
                    {data.previous_head_hash || 'none'}
                  </span>,
                ],
                ['Sealed', <Time key="s" at={data.sealed_at} />],
              ]}
            />
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function VerifyForm() {
  const [receipt, setReceipt] = useState('');
  const [head, setHead] = useState('');
  const [verified, setVerified] = useState<VerifiedReceipt>();
  const { busy, error, run } = useRun();
  const verify = async () => {
    setVerified(undefined);
    const { verifyReceipt } = await import('../receipt/verify.ts');
    setVerified(verifyReceipt(JSON.parse(receipt), head.trim()));
  };
  return (
    <Card title="Verify a receipt" pad>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void run(verify);
        }}
      >
        <p className="quiet small">
          The code of the command-line verifier runs in this browser. Nothing is sent.
        </p>
        <TextArea
          label="Receipt (JSON)"
          required
          value={receipt}
          onChange={(event) => setReceipt(event.target.value)}
        />
        <TextField
          label="Hash of a head that you trust"
          hint="Not the one in the receipt, but one that you kept or that was published."
          required
          value={head}
          onChange={(event) => setHead(event.target.value)}
        />
        {error !== undefined && <ErrorNote error={error} />}
        {verified && (
          <div className="note good" role="status">
            <strong>Verified</strong>
            <p className="small">
              {verified.transactions.length} transactions of <PaymentLink id={verified.paymentId} /> are in
              the journal of {verified.size}.
            </p>
          </div>
        )}
        <div className="actions">
          <button type="submit" className="button" disabled={busy}>
            Verify
          </button>
        </div>
      </form>
    </Card>
  );
}
