/**
 * `make check-backup`: restores everything that is archived into another folder, and compares the money of the services in it. A job
 * should run it each day: a backup that was never restored is none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { freePort } from '../free-port.ts';
import { step } from '../progress.ts';
import { findOwner } from '../servers/postgres-owner.ts';
import { archiveBeside, requireAge } from './archive.ts';
import { reportSuccess } from './backup-figures.ts';
import { compareBooks } from './compare-books.ts';
import {
  CHECK_PREFIX,
  chooseBackup,
  removeRemains,
  runRecovery,
  unpack,
  withClient,
} from './restored-server.ts';
import { archivingData } from './take-backup.ts';

/** `url` is of the superuser of the running server, which is not touched. */
export async function checkBackup(url: string): Promise<void> {
  await step('check-backup', async (note) => {
    await requireAge(note);
    const data = await withClient(url, archivingData);
    const archive = archiveBeside(data);
    const owner = await findOwner(note);
    const chosen = await chooseBackup(archive, undefined);
    await removeRemains(data);
    const folder = await mkdtemp(join(dirname(data), CHECK_PREFIX));
    await owner.own(folder);
    const restored = join(folder, 'data');
    try {
      note(`restoring ${chosen.backup.startedAt} and the WAL since then`);
      await unpack(archive, chosen, { data: restored, to: undefined, owner });
      const server = await runRecovery(restored, {
        url,
        port: await freePort(),
        owner,
        note,
        continues: false,
      });
      try {
        const problems = await compareBooks(server.url, note);
        if (problems.length > 0)
          throw new Failure(
            `The restored books do not agree:\n    ${problems.join('\n    ')}`,
            'Compare with `GET /v1/ledger/proof`.',
          );
        const ageS = Math.round(
          (Date.now() - (server.restoredTo ?? new Date(chosen.backup.startedAt)).getTime()) / 1_000,
        );
        await reportSuccess('check', new Date());
        return `the restored books agree; the last transaction in them is ${ageS} s old`;
      } finally {
        await server.stop();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
