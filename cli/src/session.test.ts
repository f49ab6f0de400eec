import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { secretOf, sessionOf } from './session.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

it.each(['PAYFLOWX_CLIENT_SECRET', 'PAYFLOWX_TOKEN'])(
  'reads %s from the environment or from a file',
  (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'session-'));
    const path = join(folder, 'secret');
    writeFileSync(path, 'of the file\n', { mode: 0o600 });
    expect(secretOf(name)).toBeUndefined();
    vi.stubEnv(`${name}_FILE`, path);
    expect(secretOf(name)).toBe('of the file');
    vi.stubEnv(name, 'of the environment');
    expect(() => secretOf(name)).toThrow(`${name} and ${name}_FILE are both set`);
    vi.stubEnv(`${name}_FILE`, '');
    expect(secretOf(name)).toBe('of the environment');
    vi.stubEnv(name, '');
    vi.stubEnv(`${name}_FILE`, join(folder, 'none'));
    expect(() => secretOf(name)).toThrow('cannot be read');
    rmSync(folder, { recursive: true });
  },
);

it('a session ends when its access token does', () => {
  vi.useFakeTimers({ now: 1_000_000 });
  const tokens = { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 300 };
  expect(sessionOf(tokens)).toEqual({ accessToken: 'a', refreshToken: 'r', expiresAt: 1_300_000 });
});
