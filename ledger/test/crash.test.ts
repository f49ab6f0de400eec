import {
  createTestTopics,
  type MortalScript,
  mortalScript,
  type TestTopics,
} from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listBalancesAfter } from '../src/store/balances.ts';
import { countJournal } from '../src/store/proof.ts';
import { atOneMoment } from '../src/store/snapshot.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { outgoing, paymentEvent, transfer } from './neighbours.ts';

let topics: TestTopics;
let ledger: LedgerDatabase;
let replay: MortalScript;

beforeAll(async () => {
  [topics, ledger] = await Promise.all([createTestTopics('ledger-crash'), createLedgerDatabase()]);
  const script = new URL('./replaying-process.ts', import.meta.url);
  replay = await mortalScript(script, [topics.topic, ledger.url]);
  const events = Array.from({ length: 50 }, () => paymentEvent([transfer('acct_a', 'acct_b', 1n)]));
  await topics.publish(events.map(outgoing));
});
afterAll(() => Promise.all([ledger.drop(), topics.drop(), replay.drop()]));

it('has posted each event once after kills before and after its commits', async () => {
  await replay.dieAt('ledger.before-commit');
  await replay.dieAt('ledger.after-commit');
  await replay.dieAt('ledger.before-commit');
  await replay.finish();
  expect(await atOneMoment(ledger.db, countJournal)).toMatchObject({ transactionCount: 50n });
  expect(await listBalancesAfter(ledger.db, { accountId: '', currency: '' }, 10)).toMatchObject([
    { accountId: 'acct_a', postedMinor: -50n },
    { accountId: 'acct_b', postedMinor: 50n },
  ]);
});
