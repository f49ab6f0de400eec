/** One rule: the editor, the backtest before it is saved, its results as a shadow, and its versions. */
import { PayFlowXError, type Schema } from '@payflowx/client';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { api, codeOf, reads, refresh, usePages, useRead } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { CheckField, SelectField, TextArea, TextField, useRun } from '../ui/form.tsx';
import { PaymentLink } from '../ui/links.tsx';
import { Badge, Card, ErrorNote, Figures, Id, Loaded, PageHead, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';
import { ExpressionDiff } from './rule/expression-diff.tsx';
import { RuleResults } from './rule/rule-results.tsx';

type Rule = Schema<'Rule'>;
type Action = Rule['action'];

const ACTIONS = [
  ['shadow', 'Shadow: only record the match'],
  ['decline', 'Decline the payment'],
  ['allow', 'Allow: override rules that decline'],
] as const;

export function NewRulePage() {
  return (
    <>
      <PageHead title="New rule" crumb={<Link to="/rules">Rules</Link>}>
        Try a rule as a shadow first: it records its matches and changes no decision.
      </PageHead>
      <RuleForm />
    </>
  );
}

export function RulePage() {
  const { id } = useParams({ from: '/rules/$id' });
  const { has } = useRoles();
  const rule = useRead(['rule', id], () => reads.get('/v1/rules/{id}', { params: { path: { id } } }));
  return (
    <Loaded query={rule} rows={8}>
      {(data) => (
        <>
          <PageHead
            title={data.name}
            crumb={<Link to="/rules">Rules</Link>}
            actions={
              <>
                <Badge state={data.action} />
                <Badge state={data.enabled ? 'enabled' : 'disabled'} />
              </>
            }
          >
            Version {data.version}
          </PageHead>
          {has('operator') ? (
            <RuleForm key={data.version} rule={data} latest={data} />
          ) : (
            <Card title="Expression" pad>
              <pre>{data.expression}</pre>
              <Backtester expression={data.expression} />
            </Card>
          )}
          <RuleResults id={id} />
          <Versions id={id} />
        </>
      )}
    </Loaded>
  );
}

function RuleForm({ rule, latest }: { rule?: Rule; latest?: Rule }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [expression, setExpression] = useState(rule?.expression ?? '');
  const [action, setAction] = useState<Action>(rule?.action ?? 'shadow');
  const [message, setMessage] = useState(rule?.message ?? '');
  const [enabled, setEnabled] = useState(rule?.enabled ?? true);
  const key = useRef(crypto.randomUUID());
  const { busy, error, run } = useRun();

  const save = async () => {
    const shared = { expression, action, enabled, ...(message && { message }) };
    if (!rule) {
      const { data } = await api.post('/v1/rules', { body: { name, ...shared }, key: key.current });
      await refresh('rules');
      await navigate({ to: '/rules/$id', params: { id: data.id } });
      return;
    }
    await api.patch('/v1/rules/{id}', {
      params: { path: { id: rule.id }, header: { 'if-match': `"${rule.version}"` } },
      body: shared,
    });
    await refresh('rules', 'rule');
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    key.current = crypto.randomUUID();
    void run(save);
  };
  const mistake = mistakeOf(error);
  return (
    <div className="split">
      <Card title={rule ? 'Edit' : 'Rule'} pad>
        <form className="stack" onSubmit={submit}>
          {!rule && (
            <TextField
              label="Name"
              hint="Lower-case words with hyphens, such as large-night-payments."
              required
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
          <TextArea
            label="Expression (CEL)"
            hint="For example: payment.kind == &quot;payment&quot; && payment.amount > 50000"
            error={mistake?.text}
            required
            rows={6}
            value={expression}
            onChange={(event) => setExpression(event.target.value)}
          />
          {mistake?.at && <MarkedLine expression={expression} {...mistake.at} />}
          <SelectField
            label="Action"
            value={action}
            onChange={(event) => setAction(event.target.value as Action)}
            options={ACTIONS}
          />
          <TextField
            label="Message for the payer"
            maxLength={200}
            value={message}
            onChange={(event) => setMessage(event.target.value)}
          />
          <CheckField
            label="Enabled"
            checked={enabled}
            onChange={(event) => setEnabled(event.target.checked)}
          />
          {error !== undefined && !mistake && <ErrorNote error={error} />}
          {codeOf(error) === 'VERSION_MISMATCH' && latest && (
            <p className="note warn">Another person saved a version meanwhile. Reload the page to see it.</p>
          )}
          {rule && expression !== rule.expression && (
            <div>
              <h3>Changes</h3>
              <ExpressionDiff before={rule.expression} after={expression} />
            </div>
          )}
          <div className="actions">
            <button type="submit" className="button primary" disabled={busy}>
              {busy ? 'Saving…' : 'Save a new version'}
            </button>
          </div>
        </form>
      </Card>
      <Card title="Backtest" pad>
        <div className="stack">
          <p className="quiet small">
            Tries the expression on the payments of the last days. It changes nothing.
          </p>
          <Backtester expression={expression} />
        </div>
      </Card>
    </div>
  );
}

interface Mistake {
  text: string;
  at?: { line: number; column: number };
}

/** The platform reports `line 2, column 32: …` for a mistake in an expression. */
function mistakeOf(error: unknown): Mistake | undefined {
  if (!(error instanceof PayFlowXError)) return undefined;
  const found = error.problem.errors?.find(({ pointer }) => pointer === '/expression');
  if (!found) return undefined;
  const [, line, column] = /line (\d+), column (\d+)/.exec(found.detail) ?? [];
  return { text: found.detail, ...(line && { at: { line: Number(line), column: Number(column) } }) };
}

/** The line with the mistake, and a mark below its place. */
function MarkedLine({ expression, line, column }: { expression: string; line: number; column: number }) {
  const text = expression.split('\n')[line - 1] ?? '';
  return (
    <figure>
      <figcaption className="small">
        Line {line}, column {column}
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <pre tabIndex={0}>
        {text}
        {'\n'}
        {' '.repeat(Math.max(0, column - 1))}▲
      </pre>
    </figure>
  );
}

function Backtester({ expression }: { expression: string }) {
  const [result, setResult] = useState<{ expression: string; of: Schema<'Backtest'> }>();
  const { busy, error, run } = useRun();
  const test = async () => {
    const { data } = await api.post('/v1/rules/backtest', { body: { expression } });
    setResult({ expression, of: data });
  };
  const mistake = mistakeOf(error);
  return (
    <div className="stack">
      <div>
        <button
          type="button"
          className="button"
          disabled={busy || expression.trim() === ''}
          onClick={() => void run(test)}
        >
          {busy ? 'Trying…' : 'Run the backtest'}
        </button>
      </div>
      {error !== undefined && <ErrorNote error={error} />}
      {mistake?.at && <MarkedLine expression={expression} {...mistake.at} />}
      {result && <BacktestResult result={result.of} isStale={result.expression !== expression} />}
    </div>
  );
}

function BacktestResult({ result, isStale }: { result: Schema<'Backtest'>; isStale: boolean }) {
  const { tried_count, matched_count, newly_declined_count, error_count } = result;
  const width = (count: number) => (tried_count === 0 ? 0 : (count / tried_count) * 1_000);
  return (
    <div className="stack">
      {isStale && <p className="note warn">The expression was changed after this backtest.</p>}
      <svg
        className="shares"
        viewBox="0 0 1000 10"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${matched_count} of ${tried_count} payments match; ${newly_declined_count} would newly be declined`}
      >
        <rect className="series-warn" width={width(matched_count)} height="10" />
        <rect className="series-bad" width={width(newly_declined_count)} height="10" />
      </svg>
      <Figures
        of={[
          ['Payments tried', tried_count, result.truncated ? 'not all: the newest' : undefined],
          ['Matches', matched_count],
          ['Newly declined', newly_declined_count],
          ['Errors', error_count],
        ]}
      />
      {result.first_error && <p className="note bad">{result.first_error}</p>}
      {result.sample_payment_ids.length > 0 && (
        <div>
          <h3>Some of the matches</h3>
          <ul>
            {result.sample_payment_ids.slice(0, 8).map((id) => (
              <li key={id}>
                <PaymentLink id={id} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function Versions({ id }: { id: string }) {
  const pages = usePages(['rule', id, 'versions'], (cursor) =>
    reads.get('/v1/rules/{id}/versions', { params: { path: { id }, query: cursor } }),
  );
  const versions = pages.items ?? [];
  const before = (version: number) => versions.find((each) => each.version === version - 1);
  return (
    <Card title="Versions">
      <List
        caption="Versions"
        pages={pages}
        keyOf={({ version }) => String(version)}
        columns={[
          { head: 'Version', cell: ({ version }) => version },
          { head: 'Action', cell: ({ action, enabled }) => `${action}${enabled ? '' : ', disabled'}` },
          {
            head: 'Expression, with its changes',
            cell: (rule) => (
              <ExpressionDiff
                before={before(rule.version)?.expression ?? rule.expression}
                after={rule.expression}
              />
            ),
          },
          { head: 'By', cell: ({ created_by }) => <Id id={created_by} /> },
          { head: 'Saved', cell: ({ created_at }) => <Time at={created_at} /> },
        ]}
        empty="No versions"
      />
    </Card>
  );
}
