import { expect, it } from 'vitest';
import { loadSettings } from './settings.ts';

it('uses the documented ports by default', () => {
  expect(loadSettings({}).ports).toMatchObject({
    gateway: 8080,
    payment: 50053,
    postgres: 5432,
    consul: 8500,
  });
});

it('moves all ports together, except one that is set separately', () => {
  const { ports } = loadSettings({ PAYFLOWX_PORT_OFFSET: '100', PAYFLOWX_PORT_GATEWAY: '9000' });
  expect(ports).toMatchObject({ gateway: 9000, payment: 50153, kafka_controller: 9193 });
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
