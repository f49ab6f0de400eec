/** Chooses payer and receiver. This choice decides how much payments contend with each other. */
import type { Account } from '../platform/account-book.ts';
import { createZipf } from './zipf.ts';

export type Pairing = 'uniform' | 'zipf' | 'into-one' | 'out-of-one';

export interface Pair {
  from: Account;
  to: Account;
}

interface Population {
  accounts: readonly Account[];
  hot: Account;
}

export function createPairs(
  pairing: Pairing,
  { accounts, hot }: Population,
  random: () => number,
): () => Pair {
  const uniform = () => Math.floor(random() * accounts.length);
  const at = (index: number) => accounts[index] as Account;
  switch (pairing) {
    case 'uniform':
      return () => twoDifferent(uniform, at);
    case 'zipf': {
      const zipf = createZipf(accounts.length, 1, random);
      return () => twoDifferent(zipf, at);
    }
    case 'into-one':
      return () => ({ from: at(uniform()), to: hot });
    case 'out-of-one':
      return () => ({ from: hot, to: at(uniform()) });
  }
}

function twoDifferent(draw: () => number, at: (index: number) => Account): Pair {
  const from = draw();
  let to = draw();
  while (to === from) to = draw();
  return { from: at(from), to: at(to) };
}
