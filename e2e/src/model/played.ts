/** The state of a play: accounts, payments in the model, and responses to be judged at the end. */
import type { Session } from '../platform.ts';
import type { AccountHistory, Asked, Span } from './account-history.ts';
import { contributionOf, type PaymentModel } from './payment-model.ts';

export interface Played {
  accounts: PlayedAccount[];
  payments: Tracked[];
  /** Responses that depend on concurrent requests of others. */
  answers: { asked: Asked; decline: string | undefined; what: string }[];
}

export interface PlayedAccount {
  id: string;
  owner: Session;
  /** The initial balance. */
  opening: number;
  history: AccountHistory;
}

/** A payment on the platform and in the model. */
export interface Tracked {
  id: string;
  model: PaymentModel;
}

/** Records the effect of a change on the available balance, with its earliest and latest time. */
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

/** Counts of outcomes, printed beside the seed: they show that the program tried enough. */
export function summaryOf({ payments, answers }: Played): string {
  const states = countBy(payments.map(({ model }) => model.state));
  const declines = countBy(answers.flatMap(({ decline }) => decline ?? []));
  return `${payments.length} payments: ${states}; declined: ${declines}`;
}

function countBy(names: string[]): string {
  const groups = Object.entries(Object.groupBy(names, (name) => name)).toSorted();
  return groups.map(([name, group = []]) => `${group.length} ${name}`).join(', ');
}
