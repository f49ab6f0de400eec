/** The entry of the command. */
import type { Command } from 'commander';
import { exitCodeOf, report } from './exit.ts';
import { createProgram } from './program.ts';

// A reader such as `head` that has enough closes the pipe. That is no error of this command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

let running: Command | undefined;
const program = createProgram().hook('preAction', (_, command) => {
  running = command;
});

try {
  await program.parseAsync(process.argv);
} catch (error) {
  report(error, running?.options.some(({ long }) => long === '--key') ?? false);
  process.exitCode = exitCodeOf(error);
}
