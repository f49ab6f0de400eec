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
