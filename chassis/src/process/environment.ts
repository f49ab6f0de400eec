/** Reads the environment against a schema and reports everything that is wrong with it at once. */
import { hostname } from 'node:os';
import { envSchema } from 'env-schema';
import { type Static, type TObject, Type } from 'typebox';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
    // Whoever reads this has to change the environment, not the code.
    this.stack = this.message;
  }
}

/** Values of `env` by `schema`, with defaults, numbers and booleans converted. Throws ConfigError with every problem. */
export function readEnvironment<T extends TObject>(schema: T, env: NodeJS.ProcessEnv): Static<T> {
  // An empty variable counts as absent, as in a shell script's ${NAME:-default}.
  const data = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  try {
    return envSchema<Static<T>>({ schema: { ...schema }, data, env: false });
  } catch (error) {
    throw new ConfigError(problemsOf(error));
  }
}

/** What env-schema throws: Ajv's errors, all of them. */
type SchemaError = {
  errors?: { instancePath: string; params: { missingProperty?: string }; message: string }[];
};

function problemsOf(error: unknown): string[] {
  const { errors } = error as SchemaError;
  if (!errors) throw error;
  return errors.map(({ instancePath, params, message }) =>
    'missingProperty' in params
      ? `${params.missingProperty} is missing`
      : `${instancePath.slice(1)} ${message}`,
  );
}

/** What every service reads. */
export const serviceSettings = {
  LOG_LEVEL: Type.Union(
    [
      Type.Literal('fatal'),
      Type.Literal('error'),
      Type.Literal('warn'),
      Type.Literal('info'),
      Type.Literal('debug'),
      Type.Literal('silent'),
    ],
    { default: 'info' },
  ),
  GRPC_HOST: Type.String({ default: '127.0.0.1' }),
  GRPC_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 0 }),
  GRPC_REFLECTION: Type.Boolean({ default: false }),
  INSTANCE_ID: Type.String({ default: `${hostname()}-${process.pid}` }),
  CONSUL_URL: Type.String({ default: '' }),
  FAULTS_DIR: Type.String({ default: '' }),
};

export const postgresSettings = {
  POSTGRES_URL: Type.String({ minLength: 1 }),
  POSTGRES_MIGRATE_URL: Type.String({ minLength: 1 }),
  POSTGRES_POOL_MAX: Type.Integer({ minimum: 1, maximum: 100, default: 8 }),
};

/** Comma-separated host:port. */
export const kafkaSettings = { KAFKA_BROKERS: Type.String({ minLength: 1 }) };

export const rabbitSettings = { RABBITMQ_URL: Type.String({ minLength: 1 }) };

/** How a service verifies its callers and says who itself is. */
export const identitySettings = {
  AUTH_TARGET: Type.String({ default: 'consul:///auth' }),
  SERVICE_CLIENT_ID: Type.String({ minLength: 1 }),
  SERVICE_CLIENT_SECRET: Type.String({ minLength: 1 }),
};
