/** Contexts: several platforms, each with its own login. */
import type { Command } from 'commander';
import { globalOptions } from '../environment.ts';
import { contextNames, currentName, readContext, removeContext, useContext } from '../files.ts';
import { createOutput, done } from '../output.ts';

export function contextCommands(program: Command): void {
  const contexts = program.command('contexts').description('platforms that you are logged in to');
  contexts
    .command('list')
    .description('list the contexts')
    .action((_: object, command: Command) => {
      const current = currentName();
      const rows = contextNames().map((name) => {
        const { gateway = '', username = '', session } = readContext(name) ?? {};
        return { name, gateway, username, logged_in: session !== undefined, current: name === current };
      });
      createOutput(globalOptions(command).output).rows(rows, [
        ['', (row) => (row.current ? '*' : '')],
        ['name', (row) => row.name],
        ['gateway', (row) => row.gateway],
        ['user', (row) => (row.logged_in ? row.username : '')],
      ]);
    });
  contexts
    .command('use <name>')
    .description('make a context the current one')
    .action((name: string, _: object, command: Command) => {
      useContext(name);
      done(globalOptions(command).output, { name, current: true }, `The current context is ${name}.`);
    });
  contexts
    .command('remove <name>')
    .description('forget a context and its login')
    .action((name: string, _: object, command: Command) => {
      removeContext(name);
      done(globalOptions(command).output, { name, removed: true }, `Removed ${name}.`);
    });
}
