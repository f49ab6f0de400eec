/**
 * Compares numbers in pages with the constants in the code. The page names the constant in a comment right behind the number, which its
 * readers do not see: `every 45 ms<!-- gateway/src/config.ts PAYMENT_BATCH_PACE_MS -->`. Prints differences, and fails if there are any.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { capture } from '../run.ts';

const COMMENT = /<!--\s*(\S+\.ts)\s+(\S*?)\s*-->/g;
/** The last number of a text, and the word after it. */
const NUMBER_AND_WORD = /(?<![\w.])(\d(?:[\d.,]*\d)?)(?: ?([A-Za-z]+))?[^\d]*$/;

const MS = { ms: 1, s: 1_000, second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const BYTES = { byte: 1, KiB: 1_024, MiB: 1_048_576, MB: 1_000_000 };
/** A constant's unit is the end of its name. Without one, numbers are compared as they are, whatever the word is. */
const NAMED_UNITS: [end: RegExp, sizes: Record<string, number>, unit: number][] = [
  [/(_MS|Ms)$/, MS, MS.ms],
  [/_S$|[a-z]S$/, MS, MS.s],
  [/_H$/, MS, MS.hour],
  [/_BYTES$/, BYTES, BYTES.byte],
];

/** `read` returns the text of a file of the repository, or undefined if there is none. */
export function wrongLimits(page: string, text: string, read = readSource): string[] {
  return [...text.matchAll(COMMENT)].flatMap(({ index, 1: file = '', 2: constant = '' }) => {
    const before = text.slice(0, index).replaceAll(/<!--[\s\S]*?-->/g, '');
    const [, digits, word = ''] = NUMBER_AND_WORD.exec(before.replaceAll(/\s+/g, ' ')) ?? [];
    const at = `${page}:${text.slice(0, index).split('\n').length}`;
    const value = valueIn(read(file) ?? '', constant);
    if (value === undefined) return `${at}: ${file} has no constant ${constant} that is a number`;
    if (digits === undefined) return `${at}: there is no number before the comment of ${constant}`;
    const wanted = value / factor(constant, word);
    return number(digits) === wanted
      ? []
      : `${at} says ${digits} ${word}; ${constant} in ${file} is ${wanted}`;
  });
}

/** How many of the constant's unit make one of the page's. */
function factor(constant: string, word: string): number {
  const [, sizes, unit] = NAMED_UNITS.find(([end]) => end.test(constant)) ?? [];
  const size = sizes?.[word] ?? sizes?.[word.replace(/s$/, '')];
  return size === undefined || unit === undefined ? 1 : size / unit;
}

/** A number, or a product of numbers, behind a name: `MAX = 5 * 60_000`, `maxMs: 5_000`; of a setting its default. */
function valueIn(source: string, name: string): number | undefined {
  const settings = 'Type\\.Integer\\(\\{[^}]*default: ';
  const behind = new RegExp(`\\b${name}\\s*[=:] ?(?:${settings})?'?([\\d_.]+(?: \\* [\\d_.]+)*)`);
  const [, product] = (/^\w+$/.test(name) && behind.exec(source.replaceAll(/\s+/g, ' '))) || [];
  return product?.split(' * ').reduce((all, each) => all * number(each), 1);
}

function number(text: string): number {
  return Number(text.replaceAll(/[_,]/g, ''));
}

function readSource(file: string): string | undefined {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined;
}

if (import.meta.main) {
  const list = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  const { output } = await capture(list, { cwd: root });
  const findings = output.split('\n').flatMap((page) => wrongLimits(page, (page && readSource(page)) || ''));
  for (const finding of findings) console.log(finding);
  if (findings.length > 0) process.exitCode = 1;
}
