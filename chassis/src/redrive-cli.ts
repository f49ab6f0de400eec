/** The command that sends dead letters back. USAGE lists its three forms. */
import { redriveDeadLetterQueue, redriveDeadLetters } from './messaging/redrive.ts';
import { redriveOutbox } from './postgres/outbox-dead-letters.ts';
import { createLogger } from './telemetry/log.ts';

const USAGE = `Usage:
  KAFKA_BROKERS=host:port redrive topic <dead-letter topic>   each dead letter goes back to its topic, once
  RABBITMQ_URL=amqp://…   redrive queue <queue>               empties <queue>.dlq into <queue>
  POSTGRES_URL=postgres://… redrive outbox <destination>      publishes the events that a broker refused again`;

const log = createLogger('redrive', { logLevel: 'info', instanceId: String(process.pid) });
const { KAFKA_BROKERS: brokers, RABBITMQ_URL: url, POSTGRES_URL: databaseUrl } = process.env;
const [kind, name] = process.argv.slice(2);

if (kind === 'topic' && name && brokers) {
  await redriveDeadLetters({ brokers, clientId: 'redrive', deadLetterTopic: name }, log);
} else if (kind === 'queue' && name && url) {
  await redriveDeadLetterQueue({ url, queue: name }, log);
} else if (kind === 'outbox' && name && databaseUrl) {
  await redriveOutbox({ url: databaseUrl, destination: name }, log);
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
