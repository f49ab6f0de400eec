/** The setting of services that have a sandbox. In production such a service refuses to start. */
import { Type } from 'typebox';
import { ConfigError, type Values } from './environment.ts';

export const sandboxSettings = {
  /** `on` gives integrators magic references and a test clock. */
  SANDBOX: Type.Union([Type.Literal('on'), Type.Literal('off')], { default: 'off' }),
  NODE_ENV: Type.String({ default: '' }),
  PAYFLOWX_ENV: Type.String({ default: '' }),
};

const PRODUCTION = 'production';

/** Returns true if the sandbox is on. Throws ConfigError if it is on in production. */
export function sandboxConfig({ SANDBOX, ...environment }: Values<typeof sandboxSettings>): boolean {
  if (SANDBOX === 'off') return false;
  const names = Object.entries(environment).filter(([, value]) => value === PRODUCTION);
  if (names.length === 0) return true;
  throw new ConfigError(
    names.map(
      ([name]) => `SANDBOX must be off where ${name} is ${PRODUCTION}: it declines payments on request`,
    ),
  );
}
