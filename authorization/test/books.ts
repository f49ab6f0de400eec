/** Invariants of the whole database after any test. */
import { expect } from 'vitest';
import type { RunningService } from './running-service.ts';

export const times = <T>(n: number, make: (index: number) => T) =>
  Array.from({ length: n }, (_, index) => make(index));

/** The balances of each currency add up to 0, and the held amount of each account equals the sum of its open holds. */
export async function expectBooksToBalance(service: RunningService): Promise<void> {
  const { rows: sums } = await service.sql(
    'select a.currency from balances b join accounts a on a.id = b.account_id group by 1 having sum(b.posted) <> 0',
  );
  expect(sums).toEqual([]);
  const { rows: differing } = await service.sql(`
    select b.account_id from balances b left join holds h on h.from_account = b.account_id
    group by b.account_id, b.held having b.held <> coalesce(sum(h.remaining), 0)`);
  expect(differing).toEqual([]);
}
