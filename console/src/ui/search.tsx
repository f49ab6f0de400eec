/** One box for ids, references, usernames and amounts. */
import type { Schema } from '@payflowx/client';
import { Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { reads } from '../api/api.ts';
import { useRoles } from '../session/session.ts';
import { useRun } from './form.tsx';
import { ErrorNote, readable } from './parts.tsx';

type Hit = Schema<'SearchHit'>;

/** The pages of things, by their kind. Things without a page lead to the page that lists them. */
const PAGES: Record<Hit['kind'], (id: string) => string> = {
  payment: (id) => `/payments/${id}`,
  account: (id) => `/accounts/${id}`,
  user: (id) => `/users/${id}`,
  event: () => '/events',
  rule: (id) => `/rules/${id}`,
  reconciliation: (id) => `/reconciliations/${id}`,
  transaction: (id) => `/ledger/transactions/${id}`,
  webhook_endpoint: (id) => `/webhooks/${id}`,
  webhook_delivery: () => '/webhooks',
  dead_letter: (id) => `/dead-letters/${encodeURIComponent(id)}`,
};

export function Search() {
  const { has } = useRoles();
  const navigate = useNavigate();
  const [hits, setHits] = useState<Hit[]>();
  const box = useRef<HTMLElement>(null);
  const { busy, error, run } = useRun();
  useShortcut(box, () => setHits(undefined));

  if (!has('customer', 'operator', 'auditor')) return null;
  const isStaff = has('operator', 'auditor');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const q = String(new FormData(event.currentTarget).get('q')).trim();
    if (q === '') return;
    if (!isStaff) {
      // A customer's own things are few: an id has its page, and anything else is a reference.
      const to = /^pay_/.test(q) ? PAGES.payment(q) : /^acct_/.test(q) ? PAGES.account(q) : undefined;
      void (to ? navigate({ to }) : navigate({ to: '/payments', search: { reference: q } }));
      return;
    }
    void run(async () => {
      const { data } = (await reads.get('/v1/search', { params: { query: { q } } })).data;
      const [only] = data;
      if (only && data.length === 1) {
        setHits(undefined);
        await navigate({ to: PAGES[only.kind](only.id) });
      } else setHits(data);
    });
  };
  return (
    <search className="search" ref={box}>
      <form onSubmit={submit}>
        <input
          className="input"
          type="search"
          name="q"
          maxLength={100}
          aria-label="Search. Shortcut: slash"
          placeholder={isStaff ? 'Id, reference, username or 12.50 EUR  ( / )' : 'Id or reference  ( / )'}
          disabled={busy}
          onInput={() => setHits(undefined)}
        />
      </form>
      {(hits !== undefined || error !== undefined) && (
        <div className="hits">
          {error !== undefined && <ErrorNote error={error} />}
          {hits?.length === 0 && (
            <p role="status">Nothing found. Ids, references and usernames must match completely.</p>
          )}
          {hits?.map(({ kind, id, title }) => (
            <Link key={id} to={PAGES[kind](id)} onClick={() => setHits(undefined)}>
              <span>{title}</span>
              <span className="quiet small">{readable(kind)}</span>
            </Link>
          ))}
        </div>
      )}
    </search>
  );
}

/** Slash goes to the box, Escape and a click elsewhere close what it found. */
function useShortcut(box: React.RefObject<HTMLElement | null>, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === 'Escape') latest.current();
      const isTyping = (event.target as Element).closest?.('input, textarea, select');
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      box.current?.querySelector('input')?.focus();
    };
    const click = ({ target }: MouseEvent) => {
      if (!box.current?.contains(target as Node)) latest.current();
    };
    addEventListener('keydown', key);
    addEventListener('click', click);
    return () => {
      removeEventListener('keydown', key);
      removeEventListener('click', click);
    };
  }, [box]);
}
