/** Backups, their check, and a restore to a moment between: docs/operators/recovery/backups.md. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { inDatabase } from '../src/past-databases.ts';
import { people, provenLedger, reconciled } from '../src/platform.ts';
import { checkBackup, restoreBackup, takeBackup } from '../src/processes.ts';
import { CAPTURED_HOLD, captureAll, expectAllSettled, holdAll, payAll, prepare } from '../src/workload.ts';

const who = people();
const local = fileURLToPath(new URL('../../.local/', import.meta.url));
const bases = join(local, 'postgres/backup/base');

function figure(file: string): number {
  const text = readFileSync(join(local, 'figures', file), 'utf8');
  return Number(text.split(' ').at(-1));
}

it('a backup is checked, and all databases go back to a moment after it: earlier payments are there, later ones are not', async () => {
  const startedAt = Date.now() / 1_000 - 1;
  const early = await prepare(who, 10);
  const paidEarly = await payAll(who, early);
  // A run that was interrupted has left a part.
  mkdirSync(join(bases, '2000-01-01T00-00-00.000Z.new'), { recursive: true });
  await takeBackup();
  expect(readdirSync(bases).filter((name) => name.endsWith('.new'))).toEqual([]);
  expect(figure('backup.prom')).toBeGreaterThan(startedAt);

  const between = await prepare(who, 5);
  const held = await holdAll(who, between);
  await captureAll(who, between, held);
  await expectAllSettled(who, between, held, CAPTURED_HOLD);
  const later = await prepare(who, 5);
  await sleep(1_500);
  const moment = new Date();
  await sleep(1_500);
  const lost = await payAll(who, later);
  await expectAllSettled(who, later, lost);

  expect(await checkBackup()).toContain('the restored books agree');
  expect(figure('backup-check.prom')).toBeGreaterThan(startedAt);

  expect(await restoreBackup(moment)).toContain('restored up to');
  await expectAllSettled(who, early, paidEarly);
  await expectAllSettled(who, between, held, CAPTURED_HOLD);
  for (const id of lost)
    await expect(who.alice.api.get('/v1/payments/{id}', { params: { path: { id } } })).rejects.toMatchObject({
      status: 404,
    });
  // Their keys are free again: the client repeats them, and pays once.
  await expectAllSettled(who, later, await payAll(who, later));
  await provenLedger(who.auditor);
  await reconciled(who.operator);
  expect(existsSync(join(local, 'postgres/restore-key'))).toBe(false);
});

it('a second restore goes back to before the first one, and is not misled by its time line', async () => {
  const first = await prepare(who, 5);
  const paid = await payAll(who, first);
  await expectAllSettled(who, first, paid);
  await sleep(1_500);
  const moment = new Date();
  await sleep(1_500);
  await inDatabase('payment', 'select pg_switch_wal()');
  const second = await prepare(who, 3);
  await expectAllSettled(who, second, await payAll(who, second));
  await restoreBackup(moment);
  await expectAllSettled(who, first, paid);
  await provenLedger(who.auditor);
  await reconciled(who.operator);
  expect(await checkBackup()).toContain('the restored books agree');
});
