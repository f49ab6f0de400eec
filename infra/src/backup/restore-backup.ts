/**
 * `make restore TO=<time>`: takes all databases back to a moment. Kafka and RabbitMQ have events of a time that no longer happened, so
 * they start empty, and payment publishes its events again. The data of before is moved aside, not deleted.
 */
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { local } from '../paths.ts';
import { down, up } from '../platform.ts';
import { execute } from '../processes.ts';
import { say, step } from '../progress.ts';
import type { Secrets } from '../secrets.ts';
import { findBinaries, findData, restoredBeside } from '../servers/postgres-files.ts';
import { findOwner } from '../servers/postgres-owner.ts';
import type { Settings } from '../settings.ts';
import { archiveBeside, requireAge } from './archive.ts';
import { compareBooks } from './compare-books.ts';
import {
  chooseBackup,
  endRecovery,
  removeKey,
  removeRemains,
  runRecovery,
  unpack,
} from './restored-server.ts';
import { takeBackup } from './take-backup.ts';

/** Brokers, whose data is of another time than the restored databases. */
const BROKERS = [join(local, 'kafka/data'), join(local, 'rabbitmq/data')];

export async function restoreBackup(text: string, settings: Settings, secret: Secrets): Promise<void> {
  const to = toTime(text);
  const { postgres } = settings.external;
  if (postgres)
    throw new Failure('POSTGRES_ADMIN_URL names a server of yours.', 'Restore it with its own backups.');
  const note = (line: string) => say('restore', line);
  await requireAge(note);
  const owner = await findOwner(note);
  const password = secret('postgres/superuser');
  const data = await findData((await findBinaries(owner, note)).initdb, owner, password, note);
  const archive = archiveBeside(data);
  const chosen = await chooseBackup(archive, to);
  const aside = `before-restore-${new Date().toISOString().replaceAll(':', '-')}`;

  say(
    'restore',
    `all databases go back to ${to.toISOString()}, from the backup of ${chosen.backup.startedAt}`,
  );
  say('restore', `the present data is kept beside it, as *.${aside}`);
  await down(settings, secret);
  await step('restore', async () => {
    const restored = restoredBeside(data);
    const url = `postgres://postgres:${password}@127.0.0.1/postgres?sslmode=no-verify`;
    const { postgres: port } = settings.ports;
    let restoredTo: Date | undefined;
    try {
      await removeRemains(data);
      await unpack(archive, chosen, { data: restored, to, owner });
      const server = await runRecovery(restored, { url, port, owner, note, continues: true });
      restoredTo = server.restoredTo;
      try {
        requireAgreement(await compareBooks(server.url, note));
        await endRecovery(server.url);
      } finally {
        await server.stop();
      }
    } finally {
      await removeKey(restored);
    }
    for (const each of [...BROKERS, data]) if (existsSync(each)) await rename(each, `${each}.${aside}`);
    await rename(restored, data);
    return `restored up to ${restoredTo?.toISOString() ?? chosen.backup.finishedAt}`;
  });
  const addresses = await up(settings, secret);
  await execute('payment', ['node', 'src/republish.ts', '--all', '--run'], settings, secret);
  // A later restore follows the time line of its base backup, so the new time line needs one.
  await takeBackup(addresses.postgres);
  say('restore', 'now check GET /v1/ledger/proof and POST /v1/ledger/reconciliations', '✓');
}

/** FORCE=1 accepts books that do not agree, after their problems are printed. */
function requireAgreement(problems: readonly string[]): void {
  for (const each of problems) say('restore', each, '!');
  if (problems.length === 0 || process.env.FORCE === '1') return;
  throw new Failure(
    'The restored books do not agree. The data of before is unchanged.',
    'Choose another time, or give FORCE=1 to accept them; `make up` starts the platform with the data of before.',
  );
}

function toTime(text: string): Date {
  const time = new Date(text);
  if (text && !Number.isNaN(time.getTime())) return time;
  throw new Failure(
    `TO=${text} is not a time.`,
    `Give an RFC 3339 time, such as TO=${new Date().toISOString()}.`,
  );
}
