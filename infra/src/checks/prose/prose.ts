/** Checks the prose of pages and comments: `make prose`, or `make prose FOLDER=payment/src`. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TextlintKernel } from '@textlint/kernel';
import { MarkdownProcessor } from '@textlint/textlint-plugin-markdown/lib/src/MarkdownProcessor.js';
import { Failure } from '../../failure.ts';
import { root } from '../../paths.ts';
import { capture } from '../../run.ts';
import { proseOf } from './comments.ts';
import { RULES } from './rules.ts';

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const CHECKED = /\.(md|tsx?|sql|proto|py|ya?ml)$|(^|\/)(Makefile|Dockerfile|\.env\.example)$/;
/** Vendored files, and migrations, which are frozen once they are released. */
const UNCHANGEABLE = /^proto\/vendor\/|\/migrations\//;

const kernel = new TextlintKernel();
const plugins = [{ pluginId: 'markdown', plugin: { Processor: MarkdownProcessor } }];

/** Checks everything under a folder, or the whole checkout. */
export async function checkProse(folder?: string): Promise<Finding[]> {
  const list = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', folder ?? '.'];
  const { output } = await capture(list, { cwd: root });
  const isChecked = (file: string) =>
    CHECKED.test(file) && !UNCHANGEABLE.test(file) && existsSync(join(root, file));
  const files = output.split('\n').filter(isChecked);
  if (files.length === 0)
    throw new Failure(`There is no prose under ${folder}.`, 'Give a folder or file of Git.');
  const findings: Finding[] = [];
  for (const file of files)
    findings.push(...(await checkText(file, await readFile(join(root, file), 'utf8'))));
  return findings;
}

/** Prints each finding with its place, and fails if there is one. */
export async function printProse(folder?: string): Promise<void> {
  const findings = await checkProse(folder);
  for (const { file, line, message } of findings) console.log(`${file}:${line}: ${message}`);
  if (findings.length === 0) return;
  throw new Failure(`${findings.length} findings of prose.`, 'The rules and why: CONTRIBUTING.md, Prose.');
}

export async function checkText(file: string, source: string): Promise<Finding[]> {
  const prose = file.endsWith('.md') ? undefined : proseOf(file, source);
  const options = { ext: '.md', filePath: join(root, file), plugins, rules: RULES };
  const { messages } = await kernel.lintText(prose?.text ?? source, options);
  return messages.map(({ message, line }) => ({ file, line: prose?.lineOf[line] ?? line, message }));
}
