/** Runs every command of docs/integrators/testing.md, as a reader pastes them into one shell. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PATIENCE_MS } from '../src/patience.ts';
import { readDemo } from '../src/platform.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/integrators/testing.md`, 'utf8');
const examples = new Map(
  [...page.matchAll(/^```sh example=(\w+)\n(.+?)^```$/gms)].map(([, name = '', code = '']) => [name, code]),
);

/** The default port of the page is that of a platform without an offset. */
const GATEWAY = 'GATEWAY=http://127.0.0.1:8080\n';

function run(name: string): string {
  const setup = examples.get('setup') ?? '';
  expect(setup).toContain(GATEWAY);
  const script = `${setup.replace(GATEWAY, `GATEWAY=${readDemo().gateway}\n`)}\necho ------\n${examples.get(name)}`;
  const { stdout } = spawnSync('bash', ['-c', script], {
    cwd: root,
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return stdout.split('------\n')[1] ?? stdout;
}

const statuses = (output: string) =>
  [...output.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));

const EXPECTED: Record<string, (output: string) => void> = {
  decline: (output) => {
    expect(statuses(output)).toEqual([402]);
    expect(output).toContain('"code":"INSUFFICIENT_BALANCE"');
  },
  unknown: (output) => expect(statuses(output)).toEqual([202]),
  status: (output) => {
    expect(statuses(output)).toEqual([503, 429]);
    expect(output.match(/^retry-after: 1/gim)).toHaveLength(2);
  },
  slow: (output) => expect(statuses(output)).toEqual([201]),
  webhook: (output) => {
    expect(statuses(output)).toEqual([201]);
    const ids = output.match(/^evt_\S+/gm) ?? [];
    // The endpoint may get an event of an earlier example too.
    expect(ids.filter((id) => id === ids.at(-1))).toHaveLength(3);
  },
  expiry: (output) => {
    expect(statuses(output)).toEqual([201, 200]);
    expect(output).toContain('"state":"EXPIRED"');
  },
  limit: (output) => expect(statuses(output)).toEqual([201, 402, 200, 201]),
};

it('has an example of everything', () => {
  expect([...examples.keys()]).toEqual(['setup', ...Object.keys(EXPECTED)]);
});

it.each(Object.keys(EXPECTED))('the example %s does what the page says', (name) => {
  EXPECTED[name]?.(run(name));
});
