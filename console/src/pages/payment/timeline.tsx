/** The steps of a payment across the services: as a picture with one lane for each service, and as a list. */
import type { Schema } from '@payflowx/client';
import { AccountLink } from '../../ui/links.tsx';
import { Badge, Empty, Money, readable, shortId } from '../../ui/parts.tsx';

type Item = Schema<'TimelineItem'>;

const LANES = ['payment', 'authorization', 'ledger', 'notification'] as const;
const LEFT = 108;
/** The picture fills the card, and scrolls if the steps would be too close. */
const WIDTH = 930;
const STEP = { least: 76, most: 112 };
const LANE = 46;
const TOP = 34;

export function Timeline({ timeline, currency }: { timeline: Schema<'Timeline'>; currency: string }) {
  const { data: items, incomplete } = timeline;
  if (items.length === 0) return <Empty title="No steps yet" />;
  return (
    <>
      {incomplete.length > 0 && (
        <div className="body">
          <p className="note warn">
            Steps of {incomplete.join(', ')} are missing, because the service does not answer.
          </p>
        </div>
      )}
      <Picture items={items} />
      <ol className="steps">
        {items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have no ids, and their order never changes.
          <li key={index}>
            <span className="quiet small num">
              {index === 0 ? new Date(item.at).toLocaleTimeString('en-GB') : sinceText(items[0], item)}
            </span>
            <div>
              <div className="row">
                <strong>{titleOf(item)}</strong>
                <span className="quiet small">{item.source}</span>
                {item.state && <Badge state={item.state} />}
              </div>
              <Movements item={item} currency={currency} />
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}

function Picture({ items }: { items: Item[] }) {
  const step = Math.min(STEP.most, Math.max(STEP.least, (WIDTH - LEFT) / items.length));
  const width = LEFT + items.length * step;
  const height = TOP + LANES.length * LANE;
  const points = items.map((item, index) => ({
    item,
    x: LEFT + index * step + step / 2,
    y: TOP + LANES.indexOf(item.source) * LANE + 8,
  }));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <section className="lanes" aria-label="Timeline as a picture" tabIndex={0}>
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
        {LANES.map((lane, row) => (
          <g key={lane}>
            <line className="lane" x1={LEFT} x2={width} y1={TOP + row * LANE + 8} y2={TOP + row * LANE + 8} />
            <text x={16} y={TOP + row * LANE + 12}>
              {lane}
            </text>
          </g>
        ))}
        <polyline className="thread" points={points.map(({ x, y }) => `${x},${y}`).join(' ')} />
        {points.map(({ item, x, y }, index) => (
          <g key={`${x}`} className={classOf(item)}>
            <circle cx={x} cy={y} r={6} />
            <text className="what" x={x} y={y - 14} textAnchor="middle">
              {shortTitle(item)}
            </text>
            <text x={x} y={y + 22} textAnchor="middle">
              {index === 0 ? '0 ms' : sinceText(items[0], item)}
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}

const TERMINAL = ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED', 'REFUNDED'];

function classOf({ state, decision }: Item): string {
  const isBad = state === 'FAILED' || decision?.outcome === 'declined';
  return `${isBad ? 'bad' : ''} ${state && TERMINAL.includes(state) ? 'terminal' : ''}`;
}

function titleOf(item: Item): string {
  return item.notification?.title ?? readable(item.type.replace(/^payment\./, '').replaceAll('.', ' '));
}

function shortTitle({ type, state, decision }: Item): string {
  const word = decision?.outcome ?? state ?? type.split('.').at(-1) ?? type;
  const text = readable(word);
  return text.length > 12 ? `${text.slice(0, 11)}…` : text;
}

function sinceText(first: Item | undefined, { at }: Item): string {
  const ms = Date.parse(at) - Date.parse(first?.at ?? at);
  if (ms < 1_000) return `+${ms} ms`;
  if (ms < 60_000) return `+${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `+${Math.round(ms / 60_000)} min`;
  return `+${Math.round(ms / 3_600_000)} h`;
}

function Movements({ item, currency }: { item: Item; currency: string }) {
  const parts = item.movements ?? [];
  return (
    <div className="quiet small">
      {parts.map(({ kind, from_account, to_account, amount }) => (
        <div key={kind + from_account + to_account + amount} className="row">
          {readable(kind)} <Money amount={amount} currency={currency} /> <AccountLink id={from_account} /> →{' '}
          <AccountLink id={to_account} />
        </div>
      ))}
      {item.decision?.message && <div>{item.decision.message}</div>}
      {item.transaction_id && <span className="mono">{shortId(item.transaction_id)}</span>}
    </div>
  );
}
