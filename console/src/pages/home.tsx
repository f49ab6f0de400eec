/** The first page of each role. */
import { lazy } from 'react';
import { useRoles } from '../session/session.ts';
import { CustomerHome } from './home/customer-home.tsx';
import { Overview } from './home/overview.tsx';

const SecurityPage = lazy(() =>
  import('./security.tsx').then((module) => ({ default: module.SecurityPage })),
);

export function HomePage() {
  const { has } = useRoles();
  if (has('operator', 'auditor')) return <Overview />;
  if (has('customer')) return <CustomerHome />;
  return <SecurityPage />;
}
