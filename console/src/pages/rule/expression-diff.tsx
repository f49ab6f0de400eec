/** The words that differ between two expressions. */
import { Fragment } from 'react';

interface Part {
  kind: 'same' | 'removed' | 'added';
  text: string;
}

export function ExpressionDiff({ before, after }: { before: string; after: string }) {
  return (
    <span className="diff">
      {diff(before, after).map(({ kind, text }, index) => {
        const key = `${index}${kind}`;
        if (kind === 'removed') return <del key={key}>{text}</del>;
        if (kind === 'added') return <ins key={key}>{text}</ins>;
        return <Fragment key={key}>{text}</Fragment>;
      })}
    </span>
  );
}

/** By the longest common subsequence of words. An expression has at most 2,000 characters, so the table stays small. */
function diff(before: string, after: string): Part[] {
  const [a, b] = [wordsOf(before), wordsOf(after)];
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = a.length - 1; row >= 0; row -= 1) {
    for (let column = b.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        a[row] === b[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const parts: Part[] = [];
  let [row, column] = [0, 0];
  while (row < a.length || column < b.length) {
    if (row < a.length && a[row] === b[column]) {
      parts.push({ kind: 'same', text: a[row] ?? '' });
      row += 1;
      column += 1;
    } else if (column >= b.length || (row < a.length && at(row + 1, column) >= at(row, column + 1))) {
      parts.push({ kind: 'removed', text: a[row] ?? '' });
      row += 1;
    } else {
      parts.push({ kind: 'added', text: b[column] ?? '' });
      column += 1;
    }
  }
  return parts;
}

function wordsOf(text: string): string[] {
  return text.match(/\w+|\s+|[^\w\s]/g) ?? [];
}
