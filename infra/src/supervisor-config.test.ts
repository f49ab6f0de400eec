import { expect, it } from 'vitest';
import { groupConfig } from './supervisor-config.ts';

const program = { name: 'kafka', folder: '/a b', env: {}, stopSignal: 'TERM' } as const;
const configOf = (command: string[], env: Record<string, string> = {}) =>
  groupConfig({ name: 'kafka', rank: 100, programs: [{ ...program, command, env }] });

it('quotes what supervisor would split, and doubles what it would expand', () => {
  const config = configOf(['/opt/my java', '-Dfoo="%h"'], { PASSWORD: 'a,b="c%d' });
  expect(config).toContain(String.raw`command="/opt/my java" "-Dfoo=\"%%h\""`);
  expect(config).toContain(String.raw`PASSWORD="a,b=\"c%%d"`);
});

it('lets a program with a socket be two processes, so that the socket stays open while one of them restarts', () => {
  const socket = { host: '127.0.0.1', port: 8080 };
  const programs = [{ ...program, name: 'gateway', command: ['node', '100%'], socket }];
  const config = groupConfig({ name: 'gateway', rank: 300, programs });
  expect(config).toContain('[fcgi-program:gateway]');
  expect(config).toContain('socket=tcp://127.0.0.1:8080\nnumprocs=2\n');
  expect(config).toMatch(/^command="\/bin\/sh" "-c" ".*" "%\(process_num\)d" "node" "100%%"$/m);
});

it('never gives a program up', () => {
  expect(configOf(['java'])).toContain('startretries=100000');
});

it('lets what yields run behind the others', () => {
  const programs = [{ ...program, command: ['java'], yields: true }];
  expect(groupConfig({ name: 'kafka', rank: 100, programs })).toContain('command="nice" "-n" "4" "java"');
});
