import { expect, it } from 'vitest';
import { interruption } from './interrupt.ts';

it('prints the command with its key, so that it can be pasted into a shell', () => {
  const args = ['payments', 'create', '--amount', '5', '--description', "Bob's shoes; $HOME"];
  const lines = interruption('key-1', args).split('\n');
  expect(lines.at(-1)).toBe(
    `  payflowx payments create --amount 5 --description 'Bob'\\''s shoes; $HOME' --key key-1`,
  );
});

it.each([[['--key', 'mine']], [['--key=mine']]])('does not add a second key to %j', (key) => {
  const [command = ''] = interruption('mine', ['payments', 'cancel', 'pay_1', ...key])
    .split('\n')
    .slice(-1);
  expect(command.match(/--key/g)).toHaveLength(1);
});
