import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { secretsIn } from './log-secrets.ts';

const PASSWORD = 'hV0-nq3_Yx9+Qw7/Zt5=';
const CLIENT_SECRET = 'k'.repeat(43);
const SESSION_SECRET = 's'.repeat(43);
const REFRESH_TOKEN = SESSION_SECRET + 'r'.repeat(43);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const known = {
  values: { 'users/alice': PASSWORD },
  hashes: new Set([CLIENT_SECRET, SESSION_SECRET].map(sha256)),
};
const kindsIn = (line: string) => {
  const findings = secretsIn('gateway.log', `first\n${line}\nlast`, known);
  // A finding names the place. It must not repeat what it has found.
  for (const finding of findings)
    expect(finding).toMatch(/^gateway\.log:2 contains [a-zA-Z ]+(users\/alice)?$/);
  return findings.map((finding) => finding.replace('gateway.log:2 contains ', ''));
};
const jwt = `eyJ${'a'.repeat(30)}.eyJ${'b'.repeat(60)}.${'c'.repeat(86)}`;

it.each([
  [`{"level":"info","token":"${jwt}"}`, ['a JSON Web Token']],
  ['{"headers":{"authorization":"Bearer opaque"}}', ['an authorization header']],
  ["headers: { Authorization: 'Basic YWxpY2U6cGFzcw==' }", ['an authorization header']],
  [`{"err":{"message":"bad body {\\"password\\":\\"guess\\"}"}}`, ['a field with a secret']],
  ['{"client_secret":"s"}', ['a field with a secret']],
  ['connect to postgres://payflowx_auth:pass@127.0.0.1:5432/payflowx_auth', ['a URL with a password']],
  [`login with ${PASSWORD}`, ['the secret users/alice']],
  [`GET /login?password=${encodeURIComponent(PASSWORD)}`, ['the secret users/alice']],
  [`{"body":"${REFRESH_TOKEN}"}`, ['a refresh token or client secret']],
  [`{"body":"${CLIENT_SECRET}"}`, ['a refresh token or client secret']],
  ['-----BEGIN PRIVATE KEY-----', ['a private key']],
  ['"password_hash":"$argon2id$v=19$m=19456"', ['a password hash']],
])('finds the secret in %j', (line, kinds) => {
  expect(kindsIn(line)).toEqual(kinds);
});

it.each([
  '{"level":"info","service":"auth","kid":"ZBgaJ8pBqdUsR1WEwg2bZBLhKLfSRDXLgmXFTdNl7Kc"}',
  '{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
  'ssl.truststore.password = null',
  'connected to amqp://payflowx:***@127.0.0.1:5672/payflowx',
  'listening at http://127.0.0.1:8080, see user@example.org',
  '{"security_event":"token_refused","detail":"FST_JWT_AUTHORIZATION_TOKEN_EXPIRED"}',
])('finds nothing in %j', (line) => {
  expect(kindsIn(line)).toEqual([]);
});
