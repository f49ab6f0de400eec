import { expect, it } from 'vitest';
import { instances, operatorEnvironment, serviceProgram } from './services.ts';
import { loadSettings } from './settings.ts';

const settings = loadSettings({ INSTANCES: '2' });
const addresses = {
  postgres: 'postgres://localhost',
  kafka: { payment: {}, ledger: {}, analytics: {}, tests: {} },
  rabbitmq: { auth: {}, payment: {}, notification: {}, tests: {} },
  consul: undefined,
  mail: '',
  inbox: undefined,
};
const secret = (name: string) => `secret of ${name}`;

it('gives the role that owns a database to commands of operators, and to no service', () => {
  for (const instance of instances(settings)) {
    const { env } = serviceProgram(instance, settings, addresses, secret);
    expect(JSON.stringify(env)).not.toContain('_migrator');
  }
  const { POSTGRES_MIGRATE_URL } = operatorEnvironment('payment', settings, addresses, secret);
  expect(POSTGRES_MIGRATE_URL).toContain('payflowx_payment_migrator');
});
