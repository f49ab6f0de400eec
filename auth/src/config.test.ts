import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { loadConfig } from './config.ts';

const KEY = randomBytes(32).toString('base64');
const NEEDED = {
  POSTGRES_URL: 'postgres://auth@db/auth',
  RABBITMQ_URL: 'amqp://auth@rabbit/payflowx',
  AUTH_SEALING_KEY: KEY,
  PAGE_TOKEN_KEY: KEY,
};

const passkeysOf = (PASSKEY_RP_ID: string, PASSKEY_ORIGINS: string) =>
  loadConfig({ ...NEEDED, PASSKEY_RP_ID, PASSKEY_ORIGINS }).passkeys;

it.each([
  ['pay.example', 'https://pay.example', ['https://pay.example']],
  [
    'pay.example',
    'https://my.pay.example, https://pay.example:8443',
    ['https://my.pay.example', 'https://pay.example:8443'],
  ],
  [
    'localhost',
    'http://localhost:8080,http://localhost:8081',
    ['http://localhost:8080', 'http://localhost:8081'],
  ],
])('passkeys of %s are for the pages %s', (rpId, texts, origins) => {
  expect(passkeysOf(rpId, texts)).toEqual({ rpId, origins });
});

it('there are no passkeys without the settings', () => {
  expect(loadConfig(NEEDED).passkeys).toBeUndefined();
  expect(passkeysOf('', '')).toBeUndefined();
});

it.each([
  ['', 'https://pay.example', 'PASSKEY_RP_ID is missing'],
  ['pay.example', '', 'PASSKEY_ORIGINS is missing'],
  ['https://pay.example', 'https://pay.example', 'PASSKEY_RP_ID must match'],
  ['127.0.0.1', 'http://127.0.0.1:8080', 'PASSKEY_RP_ID must be a domain'],
  // Browsers have no passkeys on these pages.
  ['pay.example', 'http://pay.example', 'PASSKEY_ORIGINS must'],
  ['pay.example', 'https://evil.example', 'PASSKEY_ORIGINS must'],
  ['pay.example', 'https://evilpay.example', 'PASSKEY_ORIGINS must'],
  ['pay.example', 'https://pay.example/console', 'PASSKEY_ORIGINS must'],
  ['pay.example', 'pay.example', 'PASSKEY_ORIGINS must'],
  ['pay.example', 'https://pay.example,https://other.example', 'https://other.example'],
])('PASSKEY_RP_ID=%s with PASSKEY_ORIGINS=%s is not usable', (rpId, origins, problem) => {
  expect(() => passkeysOf(rpId, origins)).toThrow(problem);
});
