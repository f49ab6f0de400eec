/** Line icons, 24 units wide. They are decoration: each stands beside its text, or its button has a label. */
import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

const icon = (path: string) => () => (
  <Icon>
    <path d={path} />
  </Icon>
);

export const OverviewIcon = icon('M4 19V9M10 19V5M16 19v-7M21 19H3');
export const PaymentsIcon = icon('M4 8h14l-3-3M20 16H6l3 3');
export const MandatesIcon = icon('M6 3h9l4 4v14H6zM14 3v5h5M9 13h6M9 17h4');
export const AccountsIcon = icon('M4 7h16v12H4zM4 11h16M8 15h3');
export const LedgerIcon = icon('M6 3h12v18H6zM9 8h6M9 12h6M9 16h3');
export const RulesIcon = icon('M5 6h8M17 6h2M5 12h2M11 12h8M5 18h8M17 18h2M15 4v4M9 10v4M15 16v4');
export const ReconcileIcon = icon('M12 4v16M5 8h14M5 8l-2 6h5zM19 8l-3 6h5zM8 20h8');
export const WebhooksIcon = icon('M9 7a3 3 0 1 1 4 3l-3 5M7 18a3 3 0 1 1 0-5M17 13a3 3 0 1 1-3 4H9');
export const DeadLettersIcon = icon('M4 6h16v12H4zM4 7l8 6 8-6M14 14l4 4M18 14l-4 4');
export const UsersIcon = icon(
  'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6M3 19a6 6 0 0 1 12 0M16 5a3 3 0 0 1 0 6M18 14a6 6 0 0 1 3 5',
);
export const ClientsIcon = icon('M4 5h16v10H4zM9 19h6M12 15v4M8 9l2 1.5L8 12');
export const KeysIcon = icon('M9 15a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12.5 12.5L20 20M17 17l2-2');
export const AuditIcon = icon('M11 17a6 6 0 1 0 0-12 6 6 0 0 0 0 12M15.5 15.5L20 20M11 8v3l2 1');
export const BellIcon = icon('M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20h4');
export const SecurityIcon = icon('M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4');
export const PayIcon = icon('M4 12h14M13 6l6 6-6 6');
export const EventsIcon = icon('M4 12h3l3-7 4 14 3-7h3');
export const MenuIcon = icon('M4 7h16M4 12h16M4 17h16');
export const SearchIcon = icon('M11 17a6 6 0 1 0 0-12 6 6 0 0 0 0 12M15.5 15.5L20 20');
export const CopyIcon = icon('M9 9h10v10H9zM15 9V5H5v10h4');
export const CheckIcon = icon('M5 12.5l4.5 4.5L19 7.5');
export const CrossIcon = icon('M6 6l12 12M18 6L6 18');
export const SunIcon = icon(
  'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4',
);
export const DownloadIcon = icon('M12 4v11M7 11l5 5 5-5M5 20h14');
export const ServicesIcon = icon('M4 5h16v5H4zM4 14h16v5H4zM7.5 7.5h.01M7.5 16.5h.01');
