/** Many concurrent callers, through two instances on one database. */
import { newId } from '@payflowx/chassis';
import { eventually } from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance, times } from './books.ts';
import {
  type Answer,
  accountOf,
  item,
  openAccount,
  type RunningService,
  startService,
} from './running-service.ts';

let service: RunningService;
beforeAll(async () => {
  service = await startService({ instances: 2 });
});
afterAll(() => service.stop());

/** Counts each code; '' is an approval. Errors fail the test. */
function tally(answers: Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { decision, error } of answers) {
    if (error) throw new Error(`an error reached a caller: ${error.message}`);
    counts[decision.code] = (counts[decision.code] ?? 0) + 1;
  }
  return counts;
}

/** Each in a call of its own, all at once. */
async function atOnce(items: Parameters<RunningService['authorize']>) {
  return (await Promise.all(items.map((each) => service.authorize(each)))).flat();
}

describe('100 payments at once from an account that affords ten', () => {
  it.each([CaptureMode.AUTOMATIC, CaptureMode.MANUAL])(
    'approve exactly ten (capture mode %i)',
    async (captureMode) => {
      const fromAccount = await openAccount(service, { balance: 1_000n });
      const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
      const answers = await atOnce(times(100, () => item({ fromAccount, toAccount, captureMode })));
      expect(tally(answers)).toEqual({ '': 10, INSUFFICIENT_BALANCE: 90 });
      expect((await accountOf(service, fromAccount)).balance.availableMinor).toBe(0n);
      await expectBooksToBalance(service);
    },
  );

  it('keep a daily limit and a daily count exactly', async () => {
    const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
    const byAmount = await openAccount(service, { balance: 100_000n, limits: { dailyMinor: 750n } });
    const byCount = await openAccount(service, { balance: 100_000n, limits: { dailyCount: 7 } });
    const answers = await atOnce([
      ...times(50, () => item({ fromAccount: byAmount, toAccount })),
      ...times(50, () => item({ fromAccount: byCount, toAccount })),
    ]);
    expect(tally(answers)).toEqual({ '': 14, DAILY_LIMIT_EXCEEDED: 43, DAILY_COUNT_EXCEEDED: 43 });
  });
});

describe('payments in opposite directions at once', () => {
  it('all succeed: no caller sees a deadlock', async () => {
    const ids = await Promise.all(times(6, () => openAccount(service, { balance: 100_000n })));
    const pairs = ids.flatMap((fromAccount) =>
      ids.filter((id) => id !== fromAccount).map((toAccount) => ({ fromAccount, toAccount })),
    );
    const answers = await atOnce(times(10, () => pairs.map((pair) => item(pair))).flat());
    expect(tally(answers)).toEqual({ '': 300 });
    for (const id of ids) expect((await accountOf(service, id)).balance.postedMinor).toBe(100_000n);
    await expectBooksToBalance(service);
  });
});

describe('a payment decided on an account that another session is changing', () => {
  it('is decided again on the account after the change', async () => {
    const fromAccount = await openAccount(service, { balance: 1_000n });
    const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
    const change = service.sql(`
      begin;
      update balances set state = 'FROZEN' where account_id = '${fromAccount}';
      do $$ begin
        -- Until the decision waits for the row.
        while not exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') loop
          perform pg_sleep(0.01);
          perform pg_stat_clear_snapshot();
        end loop;
      end $$;
      commit`);
    await eventually(async () => {
      const { rows } = await service.sql(
        `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
      );
      expect(rows).toHaveLength(1);
    });
    const payment = item({ fromAccount, toAccount });
    // The account is busy as long as the change lasts.
    await eventually(async () => {
      const [answer] = await service.authorize(payment);
      expect(answer?.decision?.code).toBe('FROM_ACCOUNT_NOT_ACTIVE');
    });
    await change;
    expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(0n);
  });
});

describe('the same step 50 times at once', () => {
  it('moves the money once and gets the same response each time', async () => {
    const fromAccount = await openAccount(service, { balance: 1_000n });
    const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
    const payment = item({ fromAccount, toAccount });
    const answers = await atOnce(times(50, () => payment));
    expect(tally(answers)).toEqual({ '': 50 });
    expect(new Set(answers.map(({ decision }) => decision?.decidedAt?.getTime())).size).toBe(1);
    expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(100n);
  });

  it('is decided once even without an existing account whose lock would separate the instances', async () => {
    for (const round of times(10, String)) {
      const payment = item({ fromAccount: `acct_none-${round}`, toAccount: 'acct_none' });
      const answers = await atOnce(times(20, () => payment));
      expect(tally(answers)).toEqual({ FROM_ACCOUNT_NOT_FOUND: 20 });
      expect(new Set(answers.map(({ decision }) => decision?.decidedAt?.getTime())).size).toBe(1);
    }
  });

  it('is refused to all but one request when the requests differ', async () => {
    const fromAccount = await openAccount(service, { balance: 10_000n });
    const receivers = await Promise.all(times(8, () => openAccount(service, { ownerId: 'usr_bob' })));
    const paymentId = newId('pay');
    const answers = await atOnce(receivers.map((toAccount) => item({ paymentId, fromAccount, toAccount })));
    expect(answers.filter(({ decision }) => decision !== undefined).length).toBe(1);
    expect((await accountOf(service, fromAccount)).balance.postedMinor).toBe(9_900n);
  });
});
