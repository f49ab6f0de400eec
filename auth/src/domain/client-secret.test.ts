import { describe, expect, it } from 'vitest';
import { hashClientSecret, secretMatches } from './client-secret.ts';

describe("a client's secret", () => {
  const client = { secretHash: hashClientSecret('secret') };

  it('matches only itself, and matches nothing if the client does not exist', () => {
    expect(secretMatches(client, 'secret')).toBe(true);
    expect(secretMatches(client, 'Secret')).toBe(false);
    expect(secretMatches(client, '')).toBe(false);
    expect(secretMatches(undefined, 'secret')).toBe(false);
  });

  it('matches nothing if its hash is the zeros that stand for no client', () => {
    expect(secretMatches({ secretHash: Buffer.alloc(32) }, '')).toBe(false);
  });
});
