/** Finds tokens, passwords and other secrets in logs. A finding names the place and the kind, and never repeats the secret. */
import { createHash } from 'node:crypto';

/** The secrets of this checkout. */
export interface KnownSecrets {
  /** By name: passwords, keys and client secrets. */
  readonly values: Readonly<Record<string, string>>;
  /** SHA-256 hashes in hex of secrets that only their holders know: secrets of API clients, and the first half of refresh tokens. */
  readonly hashes: ReadonlySet<string>;
}

const PATTERNS: Record<string, RegExp> = {
  'a JSON Web Token': /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/,
  'an authorization header': /\bauthorization\\?["']?\s*[:=]\s*\\?["']?(bearer|basic)\s+\S/i,
  'a field with a secret':
    /"(password|\w+_password|client_secret|refresh_token|access_token)\\?"\s*:\s*\\?"[^"\\]/i,
  'a URL with a password': /\b\w+:\/\/[^\s:/@"]+:(?!\*+@)[^\s:/@"]+@/,
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  'a password hash': /\$argon2i?d?\$/,
};

/**
 * A secret of an API client is 256 bits in base64url. A refresh token is twice that: all tokens of a session have the same first
 * half. Key ids have the form of a client secret, so the hash decides.
 */
const HASHED = /(?<![\w-])([\w-]{43})(?:[\w-]{43})?(?![\w-])/g;

/** Returns one line for each finding. */
export function secretsIn(file: string, text: string, { values, hashes }: KnownSecrets): string[] {
  const known = Object.entries(values).flatMap(([name, value]) =>
    [value, encodeURIComponent(value)].map((form) => ({ kind: `the secret ${name}`, form })),
  );
  return text.split('\n').flatMap((line, index) => {
    const kinds = new Set([
      ...known.filter(({ form }) => line.includes(form)).map(({ kind }) => kind),
      ...Object.keys(PATTERNS).filter((kind) => PATTERNS[kind]?.test(line)),
      ...[...line.matchAll(HASHED)]
        .filter(([, secret = '']) => hashes.has(sha256(secret)))
        .map(() => 'a refresh token or client secret'),
    ]);
    return [...kinds].map((kind) => `${file}:${index + 1} contains ${kind}`);
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
