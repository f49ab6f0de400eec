import { describe, expect, it } from 'vitest';
import { hashClientSecret, isClientId, secretMatches } from './api-client.ts';

describe("a client's secret", () => {
  const client = { id: 'svc_x', secretHash: hashClientSecret('secret'), roles: ['service'] as const };

  it('matches only itself, and matches nothing if the client does not exist', () => {
    expect(secretMatches(client, 'secret')).toBe(true);
    expect(secretMatches(client, 'Secret')).toBe(false);
    expect(secretMatches(client, '')).toBe(false);
    expect(secretMatches(undefined, 'secret')).toBe(false);
  });
});

it.each([
  ['svc_payment', true],
  ['cli_acme-1', false],
  ['usr_0198', false],
  ['payment', false],
  ['svc_', false],
  ["svc_'; --", false],
])('takes %j for a client id: %s', (text, expected) => {
  expect(isClientId(text)).toBe(expected);
});
