/** Loses the data of a server of this machine, as a broken disk does, and starts the server again without it. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crash, startServers, stopProcess } from './processes.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The folders with the data of each server. */
const DATA = { kafka: 'kafka/data', rabbitmq: 'rabbitmq/data', consul: 'consul/data' } as const;
export type Losable = keyof typeof DATA;

/**
 * Deletes the data while the server runs, and kills it. Then does what an operator does: stops what is left, and starts the servers,
 * which creates topics, queues, users and tokens again.
 */
export async function loseData(server: Losable): Promise<void> {
  const data = join(root, '.local', DATA[server]);
  const lost = `${data}.lost`;
  if (!existsSync(data)) throw new Error(`There is no ${data}.`);
  renameSync(data, lost);
  await crash(server);
  await stopProcess(server);
  for (const folder of [data, lost]) rmSync(folder, { recursive: true, force: true });
  await startServers();
}
