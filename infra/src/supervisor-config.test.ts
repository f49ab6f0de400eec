import { expect, it } from 'vitest';
import { groupConfig } from './supervisor-config.ts';

const program = { name: 'kafka', folder: '/a b', env: {}, stopSignal: 'TERM' } as const;
const configOf = (command: string[], env: Record<string, string> = {}) =>
  groupConfig({ name: 'kafka', rank: 100, programs: [{ ...program, command, env }] });

it('quotes spaces, which supervisor splits at, and doubles percent signs, which it expands', () => {
  const config = configOf(['/opt/my java', '-Dfoo="%h"'], { PASSWORD: 'a,b="c%d' });
  expect(config).toContain(String.raw`command="/opt/my java" "-Dfoo=\"%%h\""`);
  expect(config).toContain(String.raw`PASSWORD="a,b=\"c%%d"`);
});

it('runs a program with a socket as two processes, so that the socket stays open while one of them restarts', () => {
  const socket = { host: '127.0.0.1', port: 8080 };
  const programs = [{ ...program, name: 'gateway', command: ['node', '100%'], socket }];
  const config = groupConfig({ name: 'gateway', rank: 300, programs });
  expect(config).toContain('[fcgi-program:gateway]');
  expect(config).toContain('socket=tcp://127.0.0.1:8080\nnumprocs=2\n');
  expect(config).toMatch(/^command="\/bin\/sh" "-c" ".*" "%\(process_num\)d" "node" "100%%"$/m);
});

it('restarts a program without limit', () => {
  expect(configOf(['java'])).toContain('startretries=100000');
});

it('starts background programs with a lower priority', () => {
  const programs = [{ ...program, command: ['java'], isBackground: true }];
  expect(groupConfig({ name: 'kafka', rank: 100, programs })).toContain('command="nice" "-n" "4" "java"');
});
