/** Runs the rebuild command of a consumer as an operator does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestDatabase } from './database.ts';
import { namedForTests } from './servers.ts';

/** Returns the exit code and the output, such as `0: 1 events applied, 0 passed over`. */
export async function runRebuild(
  command: URL,
  { database, topic }: { database: Pick<TestDatabase, 'url' | 'migrateUrl'>; topic: string },
): Promise<string> {
  const env = {
    ...process.env,
    POSTGRES_URL: database.url,
    POSTGRES_MIGRATE_URL: database.migrateUrl,
    ...namedForTests('KAFKA_BROKERS'),
    PAYMENT_EVENTS_TOPIC: topic,
    LOG_LEVEL: 'fatal',
  };
  const child = spawn(process.execPath, [fileURLToPath(command)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text) => output.push(text));
  const [code] = await once(child, 'close');
  return `${code}: ${output.join('').trim()}`;
}
