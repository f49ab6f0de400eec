/** Applies the migrations of all services, before their new versions start. */
import { join } from 'node:path';
import { together } from './failure.ts';
import { root } from './paths.ts';
import { DATABASES } from './provision/postgres.ts';
import { logged } from './run.ts';
import { withSecretFiles } from './secret-files.ts';
import type { Secrets } from './secrets.ts';
import type { Addresses } from './servers/start.ts';
import { operatorEnvironment, SOURCES } from './services.ts';
import type { Settings } from './settings.ts';

export async function migrateDatabases(
  settings: Settings,
  addresses: Addresses,
  secret: Secrets,
): Promise<void> {
  await together(
    DATABASES.map((service) =>
      logged(
        `migrate-${service}`,
        [process.execPath, SOURCES, 'src/migrate.ts'],
        'The file that failed was rolled back. The services that run are unchanged.',
        {
          cwd: join(root, service),
          env: withSecretFiles(service, operatorEnvironment(service, settings, addresses, secret)),
        },
      ),
    ),
  );
}
