/** What must be true of the whole database after anything. */
import { expect } from 'vitest';
import type { RunningService } from './running-service.ts';

export const times = <T>(n: number, make: (index: number) => T) =>
  Array.from({ length: n }, (_, index) => make(index));

/** Money is conserved, and what is held is what open holds promise. */
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
