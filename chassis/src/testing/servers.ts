/** The addresses of the real servers that tests use. */
import { Type } from 'typebox';
import { kafkaConfig, kafkaSettings, rabbitConfig, rabbitSettings } from '../process/connections.ts';
import { readEnvironment } from '../process/environment.ts';

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(
    `${name} is not set. Run the tests with \`make test\`, or load .local/test.env after \`make up\`.`,
  );
}

/** The variables with the prefix TEST_, without it. Throws if `required` is not among them. */
export function namedForTests(required: string): Record<string, string | undefined> {
  fromEnvironment(`TEST_${required}`);
  const variables = Object.entries(process.env).filter(([name]) => name.startsWith('TEST_'));
  return Object.fromEntries(variables.map(([name, value]) => [name.slice('TEST_'.length), value]));
}

/** Addresses of the real servers. Each is read at its first use. */
export const testServers = {
  postgresAdminUrl: () => fromEnvironment('TEST_POSTGRES_ADMIN_URL'),
  /** Its user may create and use topics and groups whose names begin with `test-`. */
  kafka: () => kafkaConfig(readEnvironment(Type.Object(kafkaSettings), namedForTests('KAFKA_BROKERS'))),
  rabbit: () => rabbitConfig(readEnvironment(Type.Object(rabbitSettings), namedForTests('RABBITMQ_URL'))),
};
