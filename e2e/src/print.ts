/** Prints the demo's story on a terminal. */
import { toDecimal } from '@payflowx/proto/currency';

let chapters = 0;

export function chapter(title: string): void {
  chapters += 1;
  console.log(`\n${chapters}. ${title}`);
}

export function fact(name: string, text: string): void {
  console.log(`   ${name.padEnd(14)} ${text}`);
}

/** Rows below a line, in columns. */
export function table(rows: string[][]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    console.log(
      `   ${' '.repeat(14)} ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}`,
    );
  }
}

/** Minor units of EUR, the only currency of the story. */
export function money(minor: number | string): string {
  return `${toDecimal(BigInt(minor), 'EUR')} EUR`;
}
