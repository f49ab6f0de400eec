/** The addresses of the real servers that tests use. */

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(
    `${name} is not set. Run the tests with \`make test\`, or load .local/test.env after \`make up\`.`,
  );
}

/** Where the real servers are. Each is read when it is needed. */
export const testServers = {
  postgresAdminUrl: () => fromEnvironment('TEST_POSTGRES_ADMIN_URL'),
  kafkaBrokers: () => fromEnvironment('TEST_KAFKA_BROKERS').split(','),
  rabbitUrl: () => fromEnvironment('TEST_RABBITMQ_URL'),
  consulUrl: () => fromEnvironment('TEST_CONSUL_URL'),
};
