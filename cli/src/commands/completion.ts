/** Completion for bash, zsh and fish. The shell asks this command for the words that may follow. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { contextNames } from '../files.ts';

/** Call it last: it reads the commands that exist. */
export function addCompletion(program: Command): void {
  const completion = tab(program, { completionCommandName: 'completion' });
  const contexts = (complete: (value: string, description: string) => void) => {
    for (const name of contextNames()) complete(name, 'context');
  };
  for (const name of ['contexts use', 'contexts remove'])
    completion.commands.get(name)?.argument('name', contexts);
  const option = completion.options.get('context');
  if (option) option.handler = contexts;
}
