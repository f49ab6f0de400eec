/**
 * Sends dead letters back: `node redrive-cli.ts topic payment-events.dlt` (with KAFKA_BROKERS) or
 *
 * `node redrive-cli.ts queue payment-notifications` (with RABBITMQ_URL).
 */
import { createLogger } from '../telemetry/log.ts';
import { redriveDeadLetterQueue, redriveDeadLetters } from './redrive.ts';

const USAGE = `Usage:
  KAFKA_BROKERS=host:port redrive topic <dead-letter topic>   each dead letter goes back to its topic, once
  RABBITMQ_URL=amqp://…   redrive queue <queue>               empties <queue>.dlq into <queue>`;

const log = createLogger('redrive', { logLevel: 'info', instanceId: String(process.pid) });
const { KAFKA_BROKERS: brokers, RABBITMQ_URL: url } = process.env;
const [kind, name] = process.argv.slice(2);

if (kind === 'topic' && name && brokers) {
  await redriveDeadLetters({ brokers, clientId: 'redrive', deadLetterTopic: name }, log);
} else if (kind === 'queue' && name && url) {
  await redriveDeadLetterQueue({ url, queue: name }, log);
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
