/** Writes results as a table for people, or as JSON or YAML for programs. */
import Table from 'cli-table3';
import { Document, visit } from 'yaml';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** A column of a list, or a line of a single object. */
export type Column<Row> = [
  title: string,
  cell: (row: Row) => string | number | boolean | null | undefined,
  more?: 'right',
];

export interface Output {
  /** A list: for programs an array. */
  rows<Row extends object>(rows: readonly Row[], columns: readonly Column<Row>[]): void;
  /** A single object. */
  object<Row extends object>(row: Row, columns: readonly Column<Row>[]): void;
  /** One of a stream: a line of JSON, a YAML document, or a line of text. */
  item<Row extends object>(row: Row, line: (row: Row) => string): void;
  /** A line for people. Programs get the result instead. */
  say(text: string): void;
}

export function createOutput(
  format: Format,
  write = (text: string) => void process.stdout.write(text),
): Output {
  const structured = (value: unknown) => write(format === 'json' ? `${jsonOf(value, 2)}\n` : yamlOf(value));
  return {
    rows: (rows, columns) => (format === 'table' ? write(tableOf(rows, columns)) : structured(rows)),
    object: (row, columns) => (format === 'table' ? write(linesOf(row, columns)) : structured(row)),
    item(row, line) {
      if (format === 'table') write(`${printable(line(row))}\n`);
      else if (format === 'json') write(`${jsonOf(row)}\n`);
      else write(`---\n${yamlOf(row)}`);
    },
    say: (text) => (format === 'table' ? write(`${printable(text)}\n`) : undefined),
  };
}

/** The result of a command that only changes something: a line for people, an object for programs. */
export function done(format: Format, result: object, line: string): void {
  const output = createOutput(format);
  if (format === 'table') output.say(line);
  else output.object(result, []);
}

const PLAIN = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};
const STYLE = { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true };

function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  if (rows.length === 0) return 'Nothing.\n';
  const head = columns.map(([title]) => title.toUpperCase());
  const colAligns = columns.map(([, , more]) => (more === 'right' ? 'right' : 'left') as 'left' | 'right');
  const table = new Table({ head, colAligns, chars: PLAIN, style: STYLE });
  table.push(...rows.map((row) => columns.map(([, cell]) => textOf(cell(row)))));
  return trimmed(table.toString());
}

function linesOf<Row>(row: Row, columns: readonly Column<Row>[]): string {
  const table = new Table({ chars: PLAIN, style: STYLE });
  const shown = columns.map(([title, cell]) => [title, textOf(cell(row))] as [string, string]);
  table.push(...shown.filter(([, text]) => text !== ''));
  return trimmed(table.toString());
}

const trimmed = (text: string) => `${text.replace(/ +$/gm, '')}\n`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text of others must not move the cursor, change the colours of the terminal, or turn the direction of the text. */
export function printable(text: string): string {
  return text.replace(CONTROL, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** JSON has these characters only in strings, so they are escaped as JSON asks. */
const jsonOf = (value: unknown, indent?: number) => printable(JSON.stringify(value, null, indent));

/** YAML knows escapes only between double quotes. */
function yamlOf(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && printable(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return printable(document.toString({ lineWidth: 0 }));
}

function textOf(value: string | number | boolean | null | undefined): string {
  return value === null || value === undefined ? '' : printable(String(value));
}

/** Shows on a terminal how long a long work has been running. */
export async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work;
  const startedAt = performance.now();
  const show = () =>
    process.stderr.write(`\r${what} … ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  show();
  const timer = setInterval(show, 1_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    process.stderr.write('\r\x1b[2K');
  }
}
