import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SERVICES = ['analytics', 'auth', 'authorization', 'gateway', 'ledger', 'notification', 'payment'];
const cli = fileURLToPath(new URL('../../registry/src/cli.ts', import.meta.url));

describe('two instances of every service', () => {
  it('are registered and pass their checks', () => {
    const env = { ...process.env, CONSUL_URL: process.env.TEST_CONSUL_URL };
    const { stdout } = spawnSync(process.execPath, ['--conditions=payflowx-source', cli, 'list', '--json'], {
      encoding: 'utf8',
      env,
    });
    const instances: { service: string; health: string }[] = JSON.parse(stdout);
    for (const service of SERVICES) {
      const passing = instances.filter((each) => each.service === service && each.health === 'passing');
      expect(`${service}: ${passing.length}`).toBe(`${service}: 2`);
    }
  });
});
