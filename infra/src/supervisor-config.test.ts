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

it('restarts a program without limit', () => {
  expect(configOf(['java'])).toContain('startretries=100000');
});

it('starts background programs with a lower priority', () => {
  const programs = [{ ...program, command: ['java'], isBackground: true }];
  expect(groupConfig({ name: 'kafka', rank: 100, programs })).toContain('command="nice" "-n" "4" "java"');
});
