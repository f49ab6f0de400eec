/** Saves rows as a CSV file (RFC 4180) from the browser. */

type Cell = string | number | null | undefined;

export function saveCsv(name: string, head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const text = [head, ...rows].map((row) => row.map(cellText).join(',')).join('\r\n');
  saveFile(name, 'text/csv', `${text}\r\n`);
}

export function saveFile(name: string, type: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Texts come from other people: a spreadsheet must not run one as a formula. Numbers stay numbers.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
export function cellText(cell: Cell): string {
  if (typeof cell === 'number') return String(cell);
  const given = cell ?? '';
  const isFormula = /^[=+\-@\t\r\n＝＋－＠]/.test(given) && !/^-\d+(\.\d+)?$/.test(given);
  const text = isFormula ? `'${given}` : given;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
