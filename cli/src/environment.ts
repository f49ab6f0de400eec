/** The parts that every command uses. */
import type { PayFlowX } from '@payflowx/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Money, openMoney } from './money.ts';
import { createOutput, FORMATS, type Format, type Output } from './output.ts';
import { clientOf, type Target, targetOf } from './session.ts';

export interface Environment {
  target: Target;
  api: PayFlowX;
  output: Output;
  format: Format;
  /** Reads the table of currencies at its first use. */
  money(): Promise<Money>;
}

export interface GlobalOptions {
  context?: string;
  gateway?: string;
  output: Format;
}

export function addGlobalOptions(program: Command): void {
  program
    .option('-c, --context <name>', 'use this context instead of the current one (PAYFLOWX_CONTEXT)')
    .option('-g, --gateway <url>', 'use this platform (PAYFLOWX_GATEWAY)')
    .addOption(new Option('-o, --output <format>', 'format of the output').choices(FORMATS).default('table'));
}

export function globalOptions(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/** Adapts work to an action of commander. `args` are the arguments of the command, without options. */
export function act<Options extends object>(
  work: (env: Environment, args: string[], options: Options) => Promise<void>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    await work(openEnvironment(command), command.args, command.opts<Options>());
  };
}

function openEnvironment(command: Command): Environment {
  const { output: format, ...options } = globalOptions(command);
  const target = targetOf(options);
  const api = clientOf(target);
  let money: Promise<Money> | undefined;
  return {
    ...{ target, api, format, output: createOutput(format) },
    money: () => (money ??= openMoney(api, target.context.gateway)),
  };
}

/** A whole number from 1 on. */
export function toCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('must be a whole number from 1 on');
}

/** A limit by number, or null for "none": no limit. */
export function toCountOrNone(text: string): number | null {
  return text === 'none' ? null : toCount(text);
}

/** Collects `name=value` options. */
export function toPairs(text: string, pairs: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('must be name=value');
  return { ...pairs, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Collects an option that may be given several times, or with commas. */
export function toList(text: string, list: string[] = []): string[] {
  return [...list, ...text.split(',').filter((item) => item !== '')];
}

export interface ListOptions {
  limit: number;
}

/** The option of every list. */
export function withLimit(command: Command): Command {
  return command.option('-n, --limit <count>', 'at most this many', toCount, 20);
}

/** Returns at most `limit` items of a list. Loads no more pages than needed. */
export async function take<T>(items: AsyncIterable<T>, { limit }: ListOptions): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= limit) break;
  }
  return taken;
}

/** The size of a page: no larger than needed, at most the platform's 100. */
export const pageSize = ({ limit }: ListOptions) => ({ limit: Math.min(limit, 100) });
