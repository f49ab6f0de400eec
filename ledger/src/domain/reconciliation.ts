/** What the services believe of an account, held against each other. Pure. */

export type Source = 'authorization' | 'ledger' | 'payment' | 'analytics' | 'notification';
export type Figure = 'posted' | 'held' | 'sent' | 'received' | 'notifications';

/** What one service says about one account in one currency. */
export interface FigureLine {
  accountId: string;
  /** ISO 4217; empty where the service does not know it, or counts things that have none. */
  currency: string;
  /** Minor units, or a count. A figure that is left out is 0. */
  figures: Partial<Record<Figure, bigint>>;
  /** Whether the service itself knows that more is coming. */
  isPending?: boolean;
}

/** What all of them say about one account; no lines from a service that does not know it. */
export interface AccountFigures {
  accountId: string;
  lines: Record<Source, FigureLine[]>;
}

/** One figure of one account that two services do not agree on. */
export interface Difference {
  accountId: string;
  currency: string;
  figure: Figure;
  expectedBy: Source;
  expected: bigint;
  foundBy: Source;
  found: bigint;
}

/**
 * Who knows a figure. The first is taken as right: authorization decides what moves, payment is what the others are told of.
 * But where all the others agree with each other against the first, it is the first that is wrong.
 */
const WITNESSES: Record<Figure, readonly Source[]> = {
  posted: ['authorization', 'ledger', 'payment'],
  held: ['authorization', 'ledger', 'payment'],
  sent: ['payment', 'analytics'],
  received: ['payment', 'analytics'],
  notifications: ['payment', 'notification'],
};

const MONEY = ['posted', 'held', 'sent', 'received'] as const satisfies readonly Figure[];

/** All that the services do not agree on, by currency. */
export function differencesOf({ accountId, lines }: AccountFigures): Difference[] {
  const all = Object.values(lines).flat();
  const currencies = [...new Set(all.map(({ currency }) => currency))].filter((code) => code !== '').sort();
  // An account has one currency: whoever does not know it means that one.
  const unnamed = currencies[0] ?? '';
  if (currencies.length === 0) currencies.push(unnamed);
  const money = currencies.flatMap((currency) =>
    MONEY.flatMap((figure) =>
      compare({ accountId, currency, figure }, (source) =>
        sum(lines[source], figure, (line) => (line.currency || unnamed) === currency),
      ),
    ),
  );
  const count = { accountId, currency: '', figure: 'notifications' } as const;
  return [...money, ...compare(count, (source) => sum(lines[source], 'notifications', () => true))];
}

function compare(
  what: Pick<Difference, 'accountId' | 'currency' | 'figure'>,
  toldBy: (source: Source) => bigint,
): Difference[] {
  const [first, ...others] = WITNESSES[what.figure].map((source) => ({ source, value: toldBy(source) }));
  const [second, third] = others;
  if (!first || !second) return [];
  if (third && second.value === third.value && first.value !== second.value) {
    return [toDifference(what, second, first)];
  }
  return others.filter(({ value }) => value !== first.value).map((other) => toDifference(what, first, other));
}

interface Testimony {
  source: Source;
  value: bigint;
}

function toDifference(
  what: Pick<Difference, 'accountId' | 'currency' | 'figure'>,
  expected: Testimony,
  found: Testimony,
): Difference {
  return {
    ...what,
    expectedBy: expected.source,
    expected: expected.value,
    foundBy: found.source,
    found: found.value,
  };
}

function sum(lines: readonly FigureLine[], figure: Figure, counts: (line: FigureLine) => boolean): bigint {
  return lines.filter(counts).reduce((total, { figures }) => total + (figures[figure] ?? 0n), 0n);
}

/** Whether any service itself knows that more is coming for the account. */
export function isPending({ lines }: AccountFigures): boolean {
  return Object.values(lines).some((of) => of.some((line) => line.isPending === true));
}

/** All figures in one text: equal texts are equal figures, so nothing has moved between two readings. */
export function fingerprintOf({ lines }: AccountFigures): string {
  return JSON.stringify(lines, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
}
