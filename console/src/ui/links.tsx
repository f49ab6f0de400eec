/** Links to the pages of things by their ids. */
import { Link } from '@tanstack/react-router';
import { Id, shortId } from './parts.tsx';

export function PaymentLink({ id }: { id: string }) {
  return (
    <Id id={id}>
      <Link to="/payments/$id" params={{ id }}>
        {shortId(id)}
      </Link>
    </Id>
  );
}

export function AccountLink({ id, name }: { id: string; name?: string | null | undefined }) {
  return (
    <Id id={id}>
      <Link to="/accounts/$id" params={{ id }}>
        {name ?? shortId(id)}
      </Link>
    </Id>
  );
}

/** The two accounts of a movement of money, one below the other. */
export function Sides({
  of: { from_account, to_account },
}: {
  of: { from_account: string; to_account: string };
}) {
  return (
    <span className="sides">
      <span className="quiet small">from</span> <AccountLink id={from_account} />
      <span className="quiet small">to</span> <AccountLink id={to_account} />
    </span>
  );
}
