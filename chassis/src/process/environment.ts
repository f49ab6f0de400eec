/** Reads the environment against a schema and reports all problems at once. */
import { envSchema } from 'env-schema';
import type { Static, TObject, TProperties } from 'typebox';
import { readSecretFiles } from './secret-files.ts';

/** The values of these settings. */
export type Values<P extends TProperties> = Static<TObject<P>>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
    // Without a stack trace, because the problem is in the environment and not in the code.
    this.stack = this.message;
  }
}

/**
 * Returns the values of `env` by `schema`: with defaults, with numbers and booleans converted, and with secrets from their files.
 * Throws ConfigError with all problems.
 */
export function readEnvironment<T extends TObject>(schema: T, env: NodeJS.ProcessEnv): Static<T> {
  // An empty variable counts as absent, as in a shell script's ${NAME:-default}.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const { values: data, problems } = readSecretFiles(schema, given);
  try {
    const values = envSchema<Static<T>>({ schema: { ...schema }, data, env: false });
    if (problems.length === 0) return values;
  } catch (error) {
    // A secret whose file cannot be used is not also missing.
    const others = problemsOf(error).filter(
      (problem) => !problems.some((each) => each.startsWith(`${problem.split(' ', 1)[0]}_FILE `)),
    );
    throw new ConfigError([...problems, ...others]);
  }
  throw new ConfigError(problems);
}

/** The error of env-schema, which contains all of Ajv's errors. */
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
