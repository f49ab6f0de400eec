/** A client in Python, generated from the gateway's OpenAPI document as the page for integrators says. It runs the program of that page. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openAccount, people, readDemo } from '../src/platform.ts';
import { pythonWith } from '../src/python.ts';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, '../python');
const SCRATCH = join(import.meta.dirname, '../../.local/python-client');
const PAGE = readFileSync(new URL('../../docs/integrators/generated-clients.md', import.meta.url), 'utf8');
const VERSION = /^openapi-python-client==(.*)$/m.exec(
  readFileSync(join(FOLDER, 'requirements.txt'), 'utf8'),
)?.[1];

const demo = readDemo();
const { operator, alice, bob } = people(demo);

/** The packages are installed at the first run. Later, the test takes seconds. */
const FIRST_RUN_MS = 900_000;

it(
  'logs in, pays once, reads declines and pages, and verifies a webhook',
  async () => {
    const python = await pythonWith(`python-client-${VERSION}`, [
      '--requirement',
      join(FOLDER, 'requirements.txt'),
    ]);
    const [, program = ''] = /```python example=story\n(.*?)```/s.exec(PAGE) ?? [];
    expect(PAGE).toContain(`openapi-python-client==${VERSION}`);
    rmSync(SCRATCH, { recursive: true, force: true });
    mkdirSync(SCRATCH, { recursive: true });
    const document = await (await fetch(new URL('/openapi.json', demo.gateway))).text();
    writeFileSync(join(SCRATCH, 'openapi.json'), document);
    writeFileSync(join(SCRATCH, 'story.py'), program);
    const generating = [
      'generate',
      '--path',
      'openapi.json',
      '--meta',
      'none',
      '--output-path',
      'payflowx_client',
    ];
    const config = ['--config', join(FOLDER, 'config.yaml')];
    const command = ['-m', 'openapi_python_client', ...generating, ...config, '--fail-on-warning'];
    await run(python, command, { cwd: SCRATCH });

    const [from, to] = await Promise.all([
      openAccount(operator, alice.user, 5_000),
      openAccount(operator, bob.user, 0),
    ]);
    const env = {
      ...{ PATH: process.env.PATH, GATEWAY: demo.gateway, FROM_ACCOUNT: from.id, TO_ACCOUNT: to.id },
      ...{ PAYFLOWX_USER: alice.user.username, PAYFLOWX_PASSWORD: alice.user.password },
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const { stdout } = await run(python, ['story.py'], { cwd: SCRATCH, env, timeout: 100_000 });
    const lines = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([name, ...words]) => [name, words]),
    );
    const query = { account_id: from.id };
    const { data } = await alice.api.get('/v1/payments', { params: { query } });
    const ids = data.data.map(({ id }) => id);
    const [declined, paid, deposit] = ids;
    expect(ids).toEqual([declined, paid, deposit]);
    expect(lines).toEqual({
      paid: [paid, '1250', 'COMPLETED'],
      again: [paid, 'true'],
      declined: ['INSUFFICIENT_BALANCE', 'FAILED'],
      listed: ids,
      webhook: ['payment.completed', paid],
    });
  },
  FIRST_RUN_MS,
);

it('says what to do if the package index does not answer', async () => {
  const unreachable = ['--index-url', 'http://127.0.0.1:9/', '--no-cache-dir', 'payflowx-does-not-exist'];
  const installing = pythonWith(`unreachable-${process.pid}`, unreachable);
  await expect(installing).rejects.toThrow(/come from PyPI.*PIP_INDEX_URL to a mirror.*Connection refused/s);
});
