/** The frame of all pages: navigation by role, search, the person, and whether the browser is online. */
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useCurrencies } from '../api/currencies.ts';
import { Reauth } from '../session/reauth.tsx';
import { type Role, signOut, useMe } from '../session/session.ts';
import {
  AccountsIcon,
  AuditIcon,
  BellIcon,
  ClientsIcon,
  DeadLettersIcon,
  EventsIcon,
  KeysIcon,
  LedgerIcon,
  MandatesIcon,
  MenuIcon,
  OverviewIcon,
  PayIcon,
  PaymentsIcon,
  ReconcileIcon,
  RulesIcon,
  SecurityIcon,
  SunIcon,
  UsersIcon,
  WebhooksIcon,
} from './icons.tsx';
import mark from './mark.svg';
import { Loaded } from './parts.tsx';
import { Search } from './search.tsx';

interface Entry {
  to: string;
  label: string;
  icon: () => ReactNode;
  roles: readonly Role[];
}

const STAFF = ['operator', 'auditor'] as const;
const ALL = ['customer', ...STAFF] as const;

/** The pages that each role may open. The server decides again at each request. */
const NAVIGATION: readonly [heading: string, entries: readonly Entry[]][] = [
  [
    'Money',
    [
      { to: '/', label: 'Overview', icon: OverviewIcon, roles: ALL },
      { to: '/pay', label: 'Pay', icon: PayIcon, roles: ['customer'] },
      { to: '/payments', label: 'Payments', icon: PaymentsIcon, roles: ALL },
      { to: '/mandates', label: 'Mandates', icon: MandatesIcon, roles: ALL },
      { to: '/accounts', label: 'Accounts', icon: AccountsIcon, roles: ALL },
    ],
  ],
  [
    'Control',
    [
      { to: '/ledger', label: 'Ledger', icon: LedgerIcon, roles: STAFF },
      { to: '/reconciliations', label: 'Reconciliation', icon: ReconcileIcon, roles: STAFF },
      { to: '/rules', label: 'Rules', icon: RulesIcon, roles: STAFF },
      { to: '/audit', label: 'Audit', icon: AuditIcon, roles: [...STAFF, 'admin'] },
    ],
  ],
  [
    'Delivery',
    [
      { to: '/notifications', label: 'Notifications', icon: BellIcon, roles: ALL },
      { to: '/events', label: 'Events', icon: EventsIcon, roles: ALL },
      { to: '/webhooks', label: 'Webhooks', icon: WebhooksIcon, roles: ALL },
      { to: '/dead-letters', label: 'Dead letters', icon: DeadLettersIcon, roles: STAFF },
    ],
  ],
  [
    'People and machines',
    [
      { to: '/users', label: 'Users', icon: UsersIcon, roles: ['admin', 'operator'] },
      { to: '/api-clients', label: 'API clients', icon: ClientsIcon, roles: ['admin', ...STAFF] },
      { to: '/signing-keys', label: 'Signing keys', icon: KeysIcon, roles: ['admin', ...STAFF] },
      { to: '/security', label: 'Your sign-in', icon: SecurityIcon, roles: [...ALL, 'admin'] },
    ],
  ],
];

export function Shell() {
  const { roles } = useMe();
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes the menu.
  useEffect(() => setOpen(false), [path]);
  useFocusOnHeading(path);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <aside className={open ? 'side open' : 'side'}>
        <Link to="/" className="brand">
          <img src={mark} alt="" /> PayFlowX
        </Link>
        <nav className="nav" aria-label="Pages">
          {NAVIGATION.map(([heading, entries]) => {
            const mine = entries.filter((entry) => entry.roles.some((role) => roles.includes(role)));
            return mine.length === 0 ? null : (
              <section key={heading}>
                <h2>{heading}</h2>
                <ul>
                  {mine.map(({ to, label, icon: Icon }) => (
                    <li key={to}>
                      <Link
                        to={to}
                        activeOptions={{ exact: to === '/' }}
                        activeProps={{ className: 'active' }}
                      >
                        <Icon />
                        {label}
                      </Link>
                    </li>
                  ))}
                </ul>
              </section>
            );
          })}
        </nav>
        <Person />
      </aside>
      {open && (
        <button type="button" className="scrim" aria-label="Close the menu" onClick={() => setOpen(false)} />
      )}
      <div className="main">
        <div className="top">
          <button
            type="button"
            className="button plain menu-button"
            aria-label="Menu"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <MenuIcon />
          </button>
          <Search />
        </div>
        <Offline />
        <Reauth />
        <main id="content" className="page" key={path}>
          <Loaded query={useCurrencies()} rows={8}>
            {() => <Outlet />}
          </Loaded>
        </main>
      </div>
    </div>
  );
}

/** A page that loads has its heading within this time. */
const HEADING_MS = 10_000;

/** After a change of the page, the focus is on its heading, as after a load. Many pages have their heading only when they are loaded. */
function useFocusOnHeading(path: string): void {
  const first = useRef(path);
  useEffect(() => {
    if (first.current === path) return;
    first.current = path;
    const content = document.getElementById('content');
    if (!content) return;
    let isFocused = false;
    const focus = () => {
      // The heading of the page before may be there for a moment: its end leaves the focus nowhere.
      if (isFocused && document.activeElement !== document.body) return;
      const heading = content.querySelector('h1');
      heading?.focus({ preventScroll: true });
      isFocused = heading !== null;
    };
    const observer = new MutationObserver(focus);
    observer.observe(content, { childList: true, subtree: true });
    const frame = requestAnimationFrame(focus);
    const stop = () => observer.disconnect();
    const timer = setTimeout(stop, HEADING_MS);
    for (const event of ['keydown', 'pointerdown'] as const) addEventListener(event, stop, { once: true });
    return () => {
      stop();
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      for (const event of ['keydown', 'pointerdown'] as const) removeEventListener(event, stop);
    };
  }, [path]);
}

function Person() {
  const { username, roles } = useMe();
  return (
    <div className="person">
      <div>
        <strong>{username}</strong>
        <div className="quiet small">{roles.join(', ')}</div>
      </div>
      <div className="person-actions">
        <button type="button" className="button tiny" onClick={() => void signOut()}>
          Sign out
        </button>
        <ThemeButton />
      </div>
    </div>
  );
}

function ThemeButton() {
  const flip = () => {
    const isDark =
      getComputedStyle(document.documentElement).colorScheme.startsWith('dark') ||
      (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
    const theme = isDark ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme;
    localStorage.setItem('payflowx-theme', theme);
  };
  return (
    <button type="button" className="button tiny" aria-label="Switch between light and dark" onClick={flip}>
      <SunIcon />
    </button>
  );
}

function Offline() {
  const online = useSyncExternalStore(
    (listener) => {
      addEventListener('online', listener);
      addEventListener('offline', listener);
      return () => {
        removeEventListener('online', listener);
        removeEventListener('offline', listener);
      };
    },
    () => navigator.onLine,
  );
  return online ? null : (
    <p className="offline" role="status">
      The browser is offline. You see what was loaded last; nothing can be changed.
    </p>
  );
}
