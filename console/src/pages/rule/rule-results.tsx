/** The results of a rule in the newest payments. For a shadow rule, its effect if it were in force. */
import type { Schema } from '@payflowx/client';
import { reads, useRead } from '../../api/api.ts';
import { PaymentLink } from '../../ui/links.tsx';
import { Badge, Card, Empty, Figures, Loaded, Money, Time } from '../../ui/parts.tsx';
import { Table } from '../../ui/table.tsx';

type Payment = Schema<'Payment'>;

const EXAMINED = 100;

interface Result {
  payment: Payment;
  version: string;
  action: string;
  outcome: 'matched' | 'no match' | 'error';
  error: string | undefined;
}

export function RuleResults({ id }: { id: string }) {
  const query = { limit: EXAMINED, kind: 'payment', expand: 'decision' } as const;
  const payments = useRead(['rule', id, 'results'], () => reads.get('/v1/payments', { params: { query } }), {
    everyMs: 10_000,
  });
  return (
    <Card title="Results in the newest payments">
      <Loaded query={payments} rows={4}>
        {({ data }) => <Results results={data.flatMap((payment) => resultOf(payment, id) ?? [])} />}
      </Loaded>
    </Card>
  );
}

function resultOf(payment: Payment, id: string): Result | undefined {
  const inputs = payment.decision?.checks.find(
    (check) => check.name === 'rule' && check.inputs.rule_id === id,
  )?.inputs;
  if (!inputs) return undefined;
  const { version = '', action = '', matched, error } = inputs;
  const outcome = error !== undefined ? 'error' : matched === 'true' ? 'matched' : 'no match';
  return { payment, version, action, outcome, error };
}

function Results({ results }: { results: Result[] }) {
  if (results.length === 0)
    return (
      <Empty title="No results yet">None of the newest {EXAMINED} payments was decided with this rule.</Empty>
    );
  const found = results.filter(({ outcome }) => outcome !== 'no match');
  const countOf = (outcome: Result['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  const asShadow = found.filter(({ action, outcome }) => action === 'shadow' && outcome === 'matched').length;
  return (
    <>
      <div className="body">
        <Figures
          of={[
            ['Payments decided with it', results.length],
            ['Matches', countOf('matched')],
            ['Matches as a shadow', asShadow, 'changed nothing'],
            ['Errors', countOf('error')],
          ]}
        />
      </div>
      {found.length > 0 && (
        <Table
          caption="Payments that matched"
          items={found}
          keyOf={({ payment }) => payment.id}
          columns={[
            { head: 'Payment', cell: ({ payment }) => <PaymentLink id={payment.id} /> },
            {
              head: 'Result',
              cell: ({ action, outcome, error }) => (
                <>
                  <Badge state={outcome === 'error' ? 'failed' : action}>
                    {outcome === 'error' ? 'Error' : action === 'shadow' ? 'Would match' : 'Matched'}
                  </Badge>
                  {error && <div className="quiet small">{error}</div>}
                </>
              ),
            },
            { head: 'Version', right: true, cell: ({ version }) => version },
            { head: 'State', cell: ({ payment }) => <Badge state={payment.state} /> },
            { head: 'Created', cell: ({ payment }) => <Time at={payment.created_at} /> },
            {
              head: 'Amount',
              right: true,
              cell: ({ payment }) => <Money amount={payment.amount} currency={payment.currency} />,
            },
          ]}
        />
      )}
    </>
  );
}
