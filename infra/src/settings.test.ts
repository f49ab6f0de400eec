import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './paths.ts';
import { loadSettings } from './settings.ts';

it('uses the documented ports by default, all of them', () => {
  const readme = readFileSync(join(root, 'infra/README.md'), 'utf8');
  const ports = [...readme.matchAll(/`(?:PAYFLOWX_PORT)?_([A-Z_]+)` (?:\| )?(\d+)/g)];
  const documented = ports
    .filter(([text]) => !text.includes('OFFSET'))
    .map(([, name = '', port]) => [name.replace(/^PORT_/, '').toLowerCase(), Number(port)]);
  expect(loadSettings({}).ports).toEqual(Object.fromEntries(documented));
});

it('moves all ports together, except one that is set separately', () => {
  const { ports } = loadSettings({ PAYFLOWX_PORT_OFFSET: '100', PAYFLOWX_PORT_GATEWAY: '9000' });
  expect(ports).toMatchObject({ gateway: 9000, payment: 50153, kafka_controller: 9193 });
});

it.each([
  [{ PAYFLOWX_PORT_OFFSET: '2000' }, 10_080],
  [{ PAYFLOWX_PORT_GATEWAY: '6665' }, 6_665],
  [{ PAYFLOWX_PORT_GATEWAY: '5999' }, 6_000],
])('refuses a port of the gateway that browsers do not connect to: %o', (env, port) => {
  expect(() => loadSettings(env)).toThrow(`Browsers refuse to connect to port ${port}`);
});

it('treats an empty address as none', () => {
  expect(loadSettings({ CONSUL_URL: '' }).external.consul).toBeUndefined();
});

it.each([
  ['PAYFLOWX_PORT_KAFKA', 'ninety'],
  ['PAYFLOWX_PORT_KAFKA', '65536'],
  ['INSTANCES', '3'],
])('refuses %s=%s by name', (name, value) => {
  expect(() => loadSettings({ [name]: value })).toThrow(name);
});
