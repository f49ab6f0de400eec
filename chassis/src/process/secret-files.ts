/** Secret settings can be in files: `<NAME>_FILE` is the path of a file with the value of `<NAME>`. */
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { type TObject, type TSchemaOptions, Type } from 'typebox';

/** A setting that must not be printed. `writeOnly` is JSON Schema's word for it. */
export const secretSetting = (
  options: TSchemaOptions & { pattern?: string; minLength?: number; default?: string } = { minLength: 1 },
) => Type.String({ ...options, writeOnly: true });

/** The names of the secret settings of a schema. */
export function secretNames(schema: TObject): string[] {
  return Object.entries(schema.properties)
    .filter(([, property]) => (property as { writeOnly?: boolean }).writeOnly)
    .map(([name]) => name);
}

type Environment = Record<string, string | undefined>;

/** Replaces each `<NAME>_FILE` of a secret setting by `<NAME>` with the content of the file. Returns the problems as well. */
export function readSecretFiles(
  schema: TObject,
  env: Environment,
): { values: Environment; problems: string[] } {
  const values = { ...env };
  const problems: string[] = [];
  for (const name of secretNames(schema)) {
    const path = env[`${name}_FILE`];
    if (path === undefined) continue;
    if (env[name] !== undefined) {
      problems.push(`${name} and ${name}_FILE are both set: keep one of them`);
      continue;
    }
    try {
      values[name] = readSecretFile(path);
    } catch (error) {
      problems.push(`${name}_FILE ${(error as Error).message}`);
    }
  }
  return { values, problems };
}

/** Returns the content without the line break at its end. Throws if other accounts may read or change the file, or if it is empty. */
export function readSecretFile(path: string): string {
  const file = open(path);
  try {
    const problem = exposureOf(fstatSync(file));
    if (problem) throw new Error(`${path} ${problem}`);
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text === '') throw new Error(`${path} is empty`);
    return text;
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** The group may read, because Kubernetes gives the files of a secret to root, and their group to the container. */
const READ_OR_WRITTEN_BY_OTHERS = 0o027;

function exposureOf({ mode, uid }: Stats): string | undefined {
  const self = process.getuid?.();
  if (self !== undefined && uid !== self && uid !== 0)
    return 'belongs to another account: its owner must be this one or root';
  if ((mode & READ_OR_WRITTEN_BY_OTHERS) === 0) return undefined;
  return `has the mode ${(mode & 0o777).toString(8).padStart(4, '0')}, so other accounts can read or change it: use 0600, or 0440 in Kubernetes`;
}
