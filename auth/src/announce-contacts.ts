/** Announces the addresses and languages of all users again: `node src/announce-contacts.ts`. Without --run it only counts the users. */
import { parseArgs } from 'node:util';
import { createLogger } from '@payflowx/chassis';
import { openDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { announceContacts } from './app/announce-contacts.ts';
import { loadCommandConfig } from './config.ts';
import type { Database } from './store/database.ts';
import { countUsers } from './store/users.ts';

const { values } = parseArgs({ options: { run: { type: 'boolean', default: false } } });
const config = loadCommandConfig(process.env);
const log = createLogger('auth', { logLevel: config.logLevel, instanceId: 'announce-contacts' }, 'stderr');
const db = openDatabase<Database>(config.postgres, log);
try {
  await requireMigrated(db, config.migrations);
  const count = values.run
    ? await announceContacts({ db, log, now: () => new Date() })
    : await countUsers(db);
  const verb = values.run ? 'were announced again' : 'would be announced again; --run announces them';
  console.log(`the contacts of ${count} users ${verb}`);
} finally {
  await db.destroy();
}
