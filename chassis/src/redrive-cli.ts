/**
 * The command that sends dead letters back while the services are down. USAGE lists its two forms. DeadLetterService does it while they
 * run, one by one too.
 */
import { type TProperties, Type } from 'typebox';
import { redriveDeadLetterQueue } from './messaging/rabbit/dead-letter-queue.ts';
import { redriveOutbox } from './postgres/outbox-dead-letters.ts';
import { rabbitConfig, rabbitSettings } from './process/connections.ts';
import { readEnvironment } from './process/environment.ts';
import { postgresSettings } from './process/settings.ts';
import { createLogger } from './telemetry/log.ts';

const USAGE = `Usage:
  RABBITMQ_URL=amqp://…   redrive queue <queue>               empties <queue>.dlq into <queue>
  POSTGRES_URL=postgres://… redrive outbox <destination>      publishes the events that a broker refused again`;

const log = createLogger('redrive', { logLevel: 'info', instanceId: String(process.pid) });
const read = <T extends TProperties>(settings: T) => readEnvironment(Type.Object(settings), process.env);
const [kind, name] = process.argv.slice(2);

if (kind === 'queue' && name) {
  await redriveDeadLetterQueue({ ...rabbitConfig(read(rabbitSettings)), queue: name }, log);
} else if (kind === 'outbox' && name) {
  const { POSTGRES_URL: url } = read({ POSTGRES_URL: postgresSettings.POSTGRES_URL });
  await redriveOutbox({ url, destination: name }, log);
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
