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

it('never gives a program up', () => {
  expect(configOf(['java'])).toContain('startretries=100000');
});

it('lets what yields run behind the others', () => {
  const programs = [{ ...program, command: ['java'], yields: true }];
  expect(groupConfig({ name: 'kafka', rank: 100, programs })).toContain('command="nice" "-n" "4" "java"');
});
