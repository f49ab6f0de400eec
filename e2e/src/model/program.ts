/** Generates the commands of all clients. A seed is enough to repeat them. */
import fc from 'fast-check';

export type Replay = 'none' | 'same' | 'other';

export type Command =
  | {
      do: 'pay';
      from: number;
      to: number;
      amount: number;
      capture: 'automatic' | 'manual';
      hold?: number;
      replay: Replay;
    }
  | { do: 'capture'; which: number; share: number; final: boolean | undefined; replay: Replay }
  | { do: 'cancel'; which: number; replay: Replay }
  | { do: 'refund'; which: number; share: number; replay: Replay }
  | { do: 'deposit' | 'withdraw'; account: number; amount: number; replay: Replay }
  | { do: 'freeze' | 'unfreeze'; account: number }
  | { do: 'limit'; account: number; limit: number | null };

/** One for each concurrent client. */
export type Program = Command[][];

export const ACCOUNTS = 4;

const account = fc.nat(ACCOUNTS - 1);
const amount = fc.integer({ min: 1, max: 400 });
const which = fc.nat(7);
/** Percent of the amount left to capture or refund. 0: without an amount. Above 100 it must be refused. */
const share = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 100 }) },
  { weight: 1, arbitrary: fc.constant(101) },
);
const replay = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Replay>('none') },
  { weight: 1, arbitrary: fc.constant<Replay>('same') },
  { weight: 1, arbitrary: fc.constant<Replay>('other') },
);

const pay = fc.record({ do: fc.constant('pay' as const), from: account, to: account, amount, replay });
const automatic = pay.map((command) => ({ ...command, capture: 'automatic' as const }));
const manual = fc
  .tuple(pay, fc.constantFrom(undefined, undefined, 1, 2))
  .map(([command, hold]) => ({ ...command, capture: 'manual' as const, ...(hold && { hold }) }));

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: automatic },
  { weight: 8, arbitrary: manual },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('capture' as const),
      which,
      share,
      final: fc.constantFrom(undefined, undefined, true, false),
      replay,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), which, replay }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('refund' as const), which, share, replay }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('deposit' as const, 'withdraw' as const),
      account,
      amount,
      replay,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('freeze' as const), account }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('unfreeze' as const), account }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      account,
      limit: fc.constantFrom(null, null, 50, 200),
    }),
  },
);

export const programOf = (clients: number, steps: number): fc.Arbitrary<Program> =>
  fc.array(fc.array(command, { minLength: 1, maxLength: steps, size: 'max' }), {
    minLength: clients,
    maxLength: clients,
  });
