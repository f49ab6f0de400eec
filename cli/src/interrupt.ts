/** Ctrl-C while money may move. The command ends at once, and says how to find out and how to repeat it safely. */
import { randomUUID } from 'node:crypto';
import { EXIT } from './exit.ts';
import { printable } from './output.ts';

/**
 * Runs a request that moves or holds money, with the key that was given or a new one. Ctrl-C meanwhile prints the key, because the
 * platform may have got the request.
 */
export async function withKey<T>(
  { key = randomUUID() }: { key?: string },
  request: (key: string) => Promise<T>,
): Promise<T> {
  const interrupted = () => {
    process.stderr.write(`\n${printable(interruption(key, process.argv.slice(2)))}\n`);
    process.exit(EXIT.interrupted);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, interrupted);
  try {
    return await request(key);
  } finally {
    for (const signal of signals) process.off(signal, interrupted);
  }
}

/** The text for a person who interrupted the command with these arguments. */
export function interruption(key: string, args: readonly string[]): string {
  const hasKey = args.some((arg) => arg === '--key' || arg.startsWith('--key='));
  const command = ['payflowx', ...args, ...(hasKey ? [] : ['--key', key])].map(quoted).join(' ');
  return [
    'Interrupted. It may have happened.',
    'Repeat it with the same key to see its outcome: with this key it happens at most once.',
    `  ${command}`,
  ].join('\n');
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
