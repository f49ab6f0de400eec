/** Compares the figures of the services about an account. Pure. */

export type Source = 'authorization' | 'ledger' | 'payment' | 'analytics' | 'notification';
/** Figures that services compare account by account. */
export type ComparedFigure = 'posted' | 'held' | 'sent' | 'received' | 'notifications';
/** Records that notification should have by its own notifications, and has not. */
export const MISSING_FIGURES = ['missing_events', 'missing_deliveries', 'missing_mails'] as const;
export type MissingFigure = (typeof MISSING_FIGURES)[number];
export type Figure = ComparedFigure | MissingFigure;

/** The figures of one service about one account in one currency. */
export interface FigureLine {
  accountId: string;
  /** ISO 4217. Empty if the service does not know it, or counts things that have no currency. */
  currency: string;
  /** Minor units, or a count. A missing figure is 0. */
  figures: Partial<Record<ComparedFigure, bigint>>;
  /** True if the service itself expects more events. */
  isPending?: boolean;
}

/** The figures of all services about one account. A service that does not know the account has no lines. */
export interface AccountFigures {
  accountId: string;
  lines: Record<Source, FigureLine[]>;
}

/** One figure of one account on which two services do not agree. */
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
 * The services that know each figure. The first one is taken as right: authorization decides what moves, and payment publishes
 * the events that the others consume. But if all the others agree with each other against the first one, the first one is wrong.
 */
const SOURCES_OF: Record<ComparedFigure, readonly Source[]> = {
  posted: ['authorization', 'ledger', 'payment'],
  held: ['authorization', 'ledger', 'payment'],
  sent: ['payment', 'analytics'],
  received: ['payment', 'analytics'],
  notifications: ['payment', 'notification'],
};

const MONEY = ['posted', 'held', 'sent', 'received'] as const satisfies readonly ComparedFigure[];

/** All differences between the services, by currency. */
export function differencesOf({ accountId, lines }: AccountFigures): Difference[] {
  const all = Object.values(lines).flat();
  const currencies = [...new Set(all.map(({ currency }) => currency))].filter((code) => code !== '').sort();
  // An account has one currency. Services that do not know it mean this one.
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
  key: Pick<Difference, 'accountId' | 'currency'> & { figure: ComparedFigure },
  figureOf: (source: Source) => bigint,
): Difference[] {
  const [first, ...others] = SOURCES_OF[key.figure].map((source) => ({ source, value: figureOf(source) }));
  const [second, third] = others;
  if (!first || !second) return [];
  if (third && second.value === third.value && first.value !== second.value) {
    return [toDifference(key, second, first)];
  }
  return others.filter(({ value }) => value !== first.value).map((other) => toDifference(key, first, other));
}

interface SourceValue {
  source: Source;
  value: bigint;
}

function toDifference(
  key: Pick<Difference, 'accountId' | 'currency' | 'figure'>,
  expected: SourceValue,
  found: SourceValue,
): Difference {
  return {
    ...key,
    expectedBy: expected.source,
    expected: expected.value,
    foundBy: found.source,
    found: found.value,
  };
}

function sum(
  lines: readonly FigureLine[],
  figure: ComparedFigure,
  counts: (line: FigureLine) => boolean,
): bigint {
  return lines.filter(counts).reduce((total, { figures }) => total + (figures[figure] ?? 0n), 0n);
}

/** True if any service itself expects more events for the account. */
export function isPending({ lines }: AccountFigures): boolean {
  return Object.values(lines).some((of) => of.some((line) => line.isPending === true));
}

/** All figures as one text. Two readings with equal texts have equal figures, so nothing has moved between them. */
export function fingerprintOf({ lines }: AccountFigures): string {
  return JSON.stringify(lines, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
}

/** Records of an account that should exist by its notifications, and do not. */
export interface MissingRecords {
  accountId: string;
  figure: MissingFigure;
  count: bigint;
}

/**
 * Each missing record is a difference. Payment's figures say how many notifications there must be, and each notification has its records in
 * the same transaction. So no second reading is needed.
 */
export function missingDifference({ accountId, figure, count }: MissingRecords): Difference {
  const [expectedBy, foundBy] = ['payment', 'notification'] as const;
  return { accountId, currency: '', figure, expectedBy, expected: 0n, foundBy, found: count };
}
