/** The addresses of the real servers that tests use. */

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(
    `${name} is not set. Run the tests with \`make test\`, or load .local/test.env after \`make up\`.`,
  );
}

/** Addresses of the real servers. Each is read at its first use. */
export const testServers = {
  postgresAdminUrl: () => fromEnvironment('TEST_POSTGRES_ADMIN_URL'),
  kafkaBrokers: () => fromEnvironment('TEST_KAFKA_BROKERS').split(','),
  rabbitUrl: () => fromEnvironment('TEST_RABBITMQ_URL'),
  consulUrl: () => fromEnvironment('TEST_CONSUL_URL'),
};
