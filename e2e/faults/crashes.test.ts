import { describe, it } from 'vitest';
import { people } from '../src/platform.ts';
import { arm, crash, diedAt } from '../src/processes.ts';
import { CAPTURED_HOLD, captureAll, expectAllSettled, holdAll, payAll, prepare } from '../src/workload.ts';

const who = people();

const FAULT_POINTS = [
  'payment.after-accept',
  'payment.after-authorize',
  'payment.after-settle',
  'authorization.before-commit',
  'authorization.after-commit',
  'outbox.before-publish',
  'outbox.after-publish',
  'ledger.before-commit',
  'ledger.after-commit',
  'notification.after-commit',
  'analytics.after-commit',
];

const OF_OPERATIONS = [
  'payment.after-operation-accept',
  'payment.after-operation-decided',
  'payment.after-operation-settled',
  'authorization.after-commit',
];

describe('a process that dies by kill -9', () => {
  it.each(FAULT_POINTS)('at %s leaves every payment done once, and loses nothing', async (faultPoint) => {
    const workload = await prepare(who, 12);
    arm(faultPoint);
    const ids = await payAll(who, workload);
    await diedAt(faultPoint);
    await expectAllSettled(who, workload, ids);
  });

  it.each(OF_OPERATIONS)('at %s leaves every capture done once, and loses nothing', async (faultPoint) => {
    const workload = await prepare(who, 12);
    const ids = await holdAll(who, workload);
    arm(faultPoint);
    await captureAll(who, workload, ids);
    await diedAt(faultPoint);
    await expectAllSettled(who, workload, ids, CAPTURED_HOLD);
  });

  it.each(['payment', 'authorization', 'ledger', 'gateway-2', 'auth'])(
    'anywhere (%s) while payments flow leaves them done once, and loses nothing',
    async (name) => {
      const workload = await prepare(who, 60);
      const paying = payAll(who, workload);
      await crash(name);
      await expectAllSettled(who, workload, await paying);
    },
  );
});
