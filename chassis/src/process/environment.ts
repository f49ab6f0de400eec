/** Reads the environment against a schema and reports everything that is wrong with it at once. */
import { envSchema } from 'env-schema';
import type { Static, TObject } from 'typebox';

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
