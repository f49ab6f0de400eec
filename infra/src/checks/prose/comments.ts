/** Takes the prose out of source files: comments and test names, with the line of each. */
import { parse } from '@babel/parser';

/** Markdown made of the prose of a file. `lineOf[n]` is the line in the file of line n of the text, both from 1. */
export interface Prose {
  readonly text: string;
  readonly lineOf: readonly number[];
}

interface Comment {
  /** Without the marks that begin and end it. */
  readonly value: string;
  readonly line: number;
  /** True for a comment that has its line to itself: it may go on in the next line. */
  readonly wholeLine: boolean;
}

export function proseOf(file: string, source: string): Prose {
  const comments = /\.tsx?$/.test(file) ? typescriptComments(file, source) : otherComments(file, source);
  const text: string[] = [];
  const lineOf = [0];
  let next = 0;
  for (const { value, line, wholeLine } of comments) {
    if (line !== next || !wholeLine) {
      text.push('');
      lineOf.push(line);
    }
    const lines = value.split('\n');
    lines.forEach((content, index) => {
      text.push(content.replace(/^\s*\*? ?/, '').trimEnd());
      lineOf.push(line + index);
    });
    next = wholeLine ? line + lines.length : 0;
  }
  return { text: text.join('\n'), lineOf };
}

const TEST_NAME = /\b(?:it|test|describe)(?:\.\w+(?:\([^)]*\))?)*\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g;

function typescriptComments(file: string, source: string): Comment[] {
  const plugins: ('typescript' | 'jsx')[] = file.endsWith('x') ? ['typescript', 'jsx'] : ['typescript'];
  const { comments } = parse(source, { sourceType: 'module', plugins, errorRecovery: true });
  const found = (comments ?? []).map(({ value, start, loc }) =>
    at(source, value, start ?? 0, loc?.start.line),
  );
  const names = [...source.matchAll(TEST_NAME)].map((match) => ({
    value: (match[2] ?? '').replaceAll(/\$\{[^}]*\}|%\w/g, 'X'),
    line: lineAt(source, match.index),
    wholeLine: false,
  }));
  return [...found, ...names];
}

/** Strings come first in each pattern, so that a mark inside a string begins no comment. */
const MARKS: Record<string, RegExp> = {
  sql: /'(?:[^']|'')*'|--(?<line>.*)|\/\*(?<block>[\s\S]*?)\*\//g,
  proto: /"(?:[^"\\]|\\.)*"|\/\/(?<line>.*)|\/\*(?<block>[\s\S]*?)\*\//g,
  hash: /(?<=^|\s)#(?!!)(?<line>.*)/g,
};

function otherComments(file: string, source: string): Comment[] {
  const marks = MARKS[file.split('.').at(-1) ?? ''] ?? (MARKS.hash as RegExp);
  return [...source.matchAll(marks)].flatMap(({ index, groups }) => {
    const value = groups?.line ?? groups?.block;
    return value === undefined ? [] : [at(source, value, index, lineAt(source, index))];
  });
}

function at(source: string, value: string, start: number, line = lineAt(source, start)): Comment {
  const before = source.slice(source.lastIndexOf('\n', start - 1) + 1, start);
  return { value, line, wholeLine: before.trim() === '' };
}

function lineAt(source: string, index: number): number {
  return source.slice(0, index).split('\n').length;
}
