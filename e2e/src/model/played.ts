/** What was played: the accounts, the payments as the model has them, and what is to be judged when all is over. */
import type { Session } from '../platform.ts';
import type { AccountHistory, Asked, Span } from './account-history.ts';
import { contributionOf, type PaymentModel } from './payment-model.ts';

export interface Played {
  accounts: PlayedAccount[];
  payments: Tracked[];
  /** Answers whose plausibility depends on what others did meanwhile. */
  answers: { asked: Asked; decline: string | undefined; what: string }[];
}

export interface PlayedAccount {
  id: string;
  owner: Session;
  /** What was in it at first. */
  opening: number;
  history: AccountHistory;
}

/** A payment on the platform and in the model. */
export interface Tracked {
  id: string;
  model: PaymentModel;
}

/** Notes what a change did to what is available, and when at the earliest and at the latest. */
export function noteMove(
  { accounts }: Played,
  { from, to }: Span,
  before: PaymentModel | undefined,
  after: PaymentModel,
): void {
  for (const { id, history } of accounts) {
    const amount = availableBy(after, id) - (before ? availableBy(before, id) : 0);
    if (amount !== 0) history.effects.push({ from, to, amount });
  }
}

function availableBy(payment: PaymentModel, account: string): number {
  const { posted, held } = contributionOf(payment, account);
  return posted - held;
}

export function expectSame(found: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(found), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: is ${is}, should be ${should}`);
}

/** What came of it all, to be read beside the seed: that the program did what it should try. */
export function summaryOf({ payments, answers }: Played): string {
  const states = countBy(payments.map(({ model }) => model.state));
  const declines = countBy(answers.flatMap(({ decline }) => decline ?? []));
  return `${payments.length} payments: ${states}; declined: ${declines}`;
}

function countBy(names: string[]): string {
  const groups = Object.entries(Object.groupBy(names, (name) => name)).toSorted();
  return groups.map(([name, group = []]) => `${group.length} ${name}`).join(', ');
}
