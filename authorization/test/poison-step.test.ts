/** A step that the database does not accept fails alone. */
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { decideBatch } from '../src/app/decide-batch.ts';
import { createLockPatience } from '../src/app/lock-patience.ts';
import { createRulesInForce } from '../src/app/rules-in-force.ts';
import { toAuthorizeCommand } from '../src/rpc/step-commands.ts';
import type { Database } from '../src/store/database.ts';
import { expectBooksToBalance, times } from './books.ts';
import { accountOf, HOLD_TTL_MS, item, openAccount, startService } from './running-service.ts';

const COUNT = 100;
const POISON = 61;

it('the other steps of its batch are decided, in few attempts', async () => {
  const service = await startService();
  const fromAccount = await openAccount(service, { balance: 1_000_000n });
  const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
  const db = openDatabase<Database>({ url: service.servingUrl, poolMax: 2 }, testLog);
  let failures = 0;
  const warn = () => {
    failures += 1;
  };
  const log = Object.assign(Object.create(testLog), { warn });
  const deps = {
    db,
    now: () => new Date(),
    holdTtlMs: HOLD_TTL_MS,
    rules: createRulesInForce(testLog),
    log,
    patience: createLockPatience(),
  };
  const commands = times(COUNT, (n) => {
    const command = toAuthorizeCommand(item({ fromAccount, toAccount }), 0);
    // Text in Postgres cannot contain a NUL.
    return n === POISON ? { ...command, request: { ...command.request, operationId: '\0' } } : command;
  });
  const results = await decideBatch(deps, commands);
  expect(results.flatMap(({ ok }, n) => (ok ? [] : n))).toEqual([POISON]);
  // One for each halving.
  expect(failures).toBeLessThan(10);
  expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(100n * BigInt(COUNT - 1));
  await expectBooksToBalance(service);
  await db.destroy();
  await service.stop();
});
