/** The step before the start of a new version: `node src/migrate.ts` in a service's folder. */
import { Type } from 'typebox';
import { readEnvironment } from '../process/environment.ts';
import { ownerSettings, serviceSettings } from '../process/settings.ts';
import { createLogger } from '../telemetry/log.ts';
import { migrate } from './migrations.ts';

const settings = Type.Object({ LOG_LEVEL: serviceSettings.LOG_LEVEL, ...ownerSettings });

/** Applies the missing migrations of a service. Throws if one fails; it has then changed nothing. */
export async function runMigrations(service: string, folder: URL, env: NodeJS.ProcessEnv): Promise<void> {
  const { LOG_LEVEL, POSTGRES_MIGRATE_URL } = readEnvironment(settings, env);
  const log = createLogger(service, { logLevel: LOG_LEVEL, instanceId: 'migrate' });
  await migrate({ url: POSTGRES_MIGRATE_URL, folder }, log);
}
