import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from './environment.ts';
import { sandboxConfig, sandboxSettings } from './sandbox.ts';

const read = (env: NodeJS.ProcessEnv) => sandboxConfig(readEnvironment(Type.Object(sandboxSettings), env));

describe('the sandbox', () => {
  it('is off unless it is turned on', () => {
    expect(read({})).toBe(false);
    expect(read({ SANDBOX: '' })).toBe(false);
    expect(read({ SANDBOX: 'off', NODE_ENV: 'production' })).toBe(false);
    expect(read({ SANDBOX: 'on' })).toBe(true);
    expect(read({ SANDBOX: 'on', NODE_ENV: 'development', PAYFLOWX_ENV: 'staging' })).toBe(true);
  });

  it.each(['NODE_ENV', 'PAYFLOWX_ENV'])('refuses to start where %s is production', (name) => {
    const message = `The configuration is not usable:\n  - SANDBOX must be off where ${name} is production`;
    expect(() => read({ SANDBOX: 'on', [name]: 'production' })).toThrow(message);
  });

  it('is either on or off', () => {
    expect(() => read({ SANDBOX: 'yes' })).toThrow('SANDBOX');
  });
});
