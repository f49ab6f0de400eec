import {
  createTestTopics,
  type MortalScript,
  mortalScript,
  type TestTopics,
} from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sumDays } from '../src/store/daily-totals.ts';
import { type AnalyticsDatabase, createAnalyticsDatabase } from './fixture.ts';
import { outgoing, paymentEvent, transfer } from './neighbours.ts';

let topics: TestTopics;
let analytics: AnalyticsDatabase;
let replay: MortalScript;

beforeAll(async () => {
  [topics, analytics] = await Promise.all([createTestTopics('analytics-crash'), createAnalyticsDatabase()]);
  const script = new URL('./replaying-process.ts', import.meta.url);
  replay = await mortalScript(script, [topics.topic, analytics.url]);
  const events = Array.from({ length: 50 }, () =>
    paymentEvent('COMPLETED', { movements: [transfer('acct_ann', 'acct_bob', 1n)] }),
  );
  await topics.publish(events.map(outgoing));
});
afterAll(() => Promise.all([analytics.drop(), topics.drop(), replay.drop()]));

it('has counted each event once after kills before and after its commits', async () => {
  await replay.dieAt('analytics.before-commit');
  await replay.dieAt('analytics.after-commit');
  await replay.dieAt('analytics.before-commit');
  await replay.finish();
  expect(await sumDays(analytics.db, 'EUR')).toMatchObject([{ completedCount: 50n, capturedMinor: 50n }]);
});
