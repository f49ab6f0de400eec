/** Small parts that all pages share: money, ids, times, badges, and the states of a page. */
import { PayFlowXError } from '@payflowx/client';
import { type ReactNode, useEffect, useState } from 'react';
import { useExponents } from '../api/currencies.ts';
import { formatMinor } from '../money/minor-units.ts';
import { askPassword } from '../session/ask-password.ts';
import { CheckIcon, CopyIcon } from './icons.tsx';

/** Minor units in the decimals of the currency. */
export function Money({ amount, currency }: { amount: number | string; currency: string }) {
  const exponent = useExponents()(currency);
  const isNegative = BigInt(amount) < 0n;
  return (
    <span className={isNegative ? 'money minus' : 'money'}>
      {exponent === undefined ? '…' : formatMinor(amount, exponent)}
      <abbr>{currency}</abbr>
    </span>
  );
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const YEAR = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

/** Short, in the time zone of the browser. The exact time in UTC is its title. */
export function Time({ at }: { at: string | null | undefined }) {
  if (!at) return <span className="quiet">–</span>;
  const date = new Date(at);
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return (
    <time dateTime={at} title={at} className="num">
      {(isThisYear ? DAY : YEAR).format(date)} {CLOCK.format(date)}
    </time>
  );
}

/** `4 min ago`, kept current. */
export function Ago({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={at}>
      {agoText(now - Date.parse(at))}
    </time>
  );
}

function agoText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** The end of a UUIDv7 differs between two ids of one moment, its beginning does not. */
export function shortId(id: string): string {
  const [, prefix, rest] = /^([a-z]+_)([0-9a-f-]{36})$/.exec(id) ?? [];
  return prefix && rest ? `${prefix}…${rest.slice(-8)}` : id;
}

export function Id({ id, whole = false, children }: { id: string; whole?: boolean; children?: ReactNode }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(id);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_200);
  };
  return (
    <span className="id">
      {children ?? <span title={id}>{whole ? id : shortId(id)}</span>}
      <button
        type="button"
        className="copy"
        aria-label={copied ? 'Copied' : `Copy ${id}`}
        onClick={(event) => {
          event.stopPropagation();
          void copy();
        }}
      >
        {copied ? <CheckIcon /> : <CopyIcon />}
      </button>
    </span>
  );
}

type Tone = 'good' | 'bad' | 'warn' | 'info' | 'mute';

const TONES: Record<string, Tone> = {
  COMPLETED: 'good',
  ACTIVE: 'good',
  active: 'good',
  enabled: 'good',
  delivered: 'good',
  sent: 'good',
  approved: 'good',
  done: 'good',
  passing: 'good',
  holds: 'good',
  FAILED: 'bad',
  failed: 'bad',
  declined: 'bad',
  CLOSED: 'bad',
  broken: 'bad',
  critical: 'bad',
  AUTHORIZED: 'info',
  PARTIALLY_CAPTURED: 'info',
  INITIATED: 'warn',
  PENDING: 'warn',
  pending: 'warn',
  FROZEN: 'warn',
  PARTIALLY_REFUNDED: 'warn',
  shadow: 'warn',
  unsettled: 'warn',
  decline: 'bad',
  allow: 'good',
};

export function Badge({ state, tone, children }: { state: string; tone?: Tone; children?: ReactNode }) {
  return <span className={`badge ${tone ?? TONES[state] ?? 'mute'}`}>{children ?? readable(state)}</span>;
}

/** `PARTIALLY_REFUNDED` → `Partially refunded`. */
export function readable(state: string): string {
  const words = state.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all the same.
        <i key={row} />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Says what went wrong, with the code and the id by which operators find it. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const known = error instanceof PayFlowXError ? error : undefined;
  return (
    <div className="note bad" role="alert">
      <strong>
        {known ? (known.problem.detail ?? known.problem.title ?? known.message) : String(error)}
      </strong>
      {known?.problem.errors?.map(({ pointer, detail }) => (
        <p key={pointer + detail}>
          <code>{pointer}</code> {detail}
        </p>
      ))}
      <dl className="facts">
        {known && <dt>Code</dt>}
        {known && (
          <dd>
            <code>{known.code}</code>
          </dd>
        )}
        {known?.requestId && <dt>Request</dt>}
        {known?.requestId && (
          <dd>
            <Id id={known.requestId} whole />
          </dd>
        )}
      </dl>
      {known?.code === 'LOGIN_TOO_OLD' && (
        <div>
          <button type="button" className="button tiny" onClick={() => askPassword(true)}>
            Enter the password again
          </button>
        </div>
      )}
      {retry && (
        <div>
          <button type="button" className="button tiny" onClick={retry}>
            Try again
          </button>
        </div>
      )}
    </div>
  );
}

interface Query<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** Shows a skeleton, an error or the content. A failed reload keeps what was loaded, and says so. */
export function Loaded<T>({
  query,
  rows,
  children,
}: {
  query: Query<T>;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  const retry = () => void query.refetch();
  if (query.data === undefined) {
    return query.error ? (
      <div className="body">
        <ErrorNote error={query.error} retry={retry} />
      </div>
    ) : (
      <Loading {...(rows !== undefined && { rows })} />
    );
  }
  return (
    <>
      {query.error != null && (
        <div className="body">
          <ErrorNote error={query.error} retry={retry} />
        </div>
      )}
      {children(query.data)}
    </>
  );
}

export function PageHead({
  title,
  crumb,
  actions,
  children,
}: {
  title: ReactNode;
  crumb?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}) {
  useEffect(() => {
    document.title = typeof title === 'string' ? `${title} – PayFlowX` : 'PayFlowX';
  }, [title]);
  return (
    <header className="page-head">
      <div>
        {crumb && <span className="crumb">{crumb}</span>}
        <h1 tabIndex={-1}>{title}</h1>
        {children && <p>{children}</p>}
      </div>
      {actions && <div className="row">{actions}</div>}
    </header>
  );
}

export function Card({
  title,
  actions,
  children,
  pad = false,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  pad?: boolean;
}) {
  return (
    <section className="card">
      {(title || actions) && (
        <header>
          <h2>{title}</h2>
          {actions && <div className="row">{actions}</div>}
        </header>
      )}
      {pad ? <div className="body">{children}</div> : children}
    </section>
  );
}

/** Name and value pairs. Pairs without a value are left out. */
export function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {of
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .flatMap(([name, value]) => [<dt key={`${name}?`}>{name}</dt>, <dd key={name}>{value}</dd>])}
    </dl>
  );
}

export function Figures({ of }: { of: [string, ReactNode, ReactNode?][] }) {
  return (
    <dl className="figures">
      {of.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {more && <small>{more}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** How much of a limit is used. `limit` null: there is none. */
export function UsageBar({ used, limit, label }: { used: number; limit: number; label: string }) {
  const share = limit === 0 ? 100 : Math.min(100, Math.floor((used / limit) * 100));
  return (
    <svg
      className="bar"
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${share} % used`}
    >
      <rect width="100" height="4" />
      <rect className={share >= 80 ? 'near' : 'used'} width={share} height="4" />
    </svg>
  );
}
