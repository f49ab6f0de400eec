/** Keeps other accounts of the machine out of the platform's files: payments are in the data of Kafka and RabbitMQ, and in logs. */
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { local } from './paths.ts';

/** Folders with data, which must be private before the first file is written. */
const DATA = ['kafka', 'logs', 'rabbitmq', 'secrets', 'supervisor', 'tls'];
/** PostgreSQL keeps its data private itself. Its user is another than ours, and has to enter the folder. */
const OWNED_BY_OTHERS = ['postgres'];

/** Makes every folder in `.local` private, also those of an older version. */
export async function makePrivate(folder = local): Promise<void> {
  for (const name of DATA) await mkdir(join(folder, name), { recursive: true });
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !OWNED_BY_OTHERS.includes(entry.name));
  await Promise.all(folders.map(({ name }) => chmod(join(folder, name), 0o700)));
}
