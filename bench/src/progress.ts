/** Prints the current step and its expected time on the terminal. */

const startedAt = performance.now();

export function say(text: string, sign = '·'): void {
  console.log(`${sign} ${elapsed()}  ${text}`);
}

/** A line that is overwritten on a terminal, and printed nowhere else. */
export function sayProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\x1b[2K\r· ${elapsed()}  ${text}\r`);
}

/** A problem that makes figures worthless must stay visible. */
export function sayFramed(lines: readonly string[]): void {
  const width = Math.max(...lines.map((line) => line.length)) + 4;
  const frame = '█'.repeat(width);
  console.log(`\n${frame}\n${lines.map((line) => `█ ${line.padEnd(width - 4)} █`).join('\n')}\n${frame}\n`);
}

function elapsed(): string {
  const seconds = Math.floor((performance.now() - startedAt) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
}
