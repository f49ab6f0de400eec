import { expect, it } from 'vitest';
import { cellText } from './csv.ts';

it.each([
  ['=HYPERLINK("http://evil.example")', `"'=HYPERLINK(""http://evil.example"")"`],
  ['+1+cmd', "'+1+cmd"],
  ['-1+cmd', "'-1+cmd"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', `"'\r=1"`],
  ['\n=1', `"'\n=1"`],
  ['＝1', "'＝1"],
])('a spreadsheet does not run %j', (text, written) => expect(cellText(text)).toBe(written));

it.each([
  ['-12.50', '-12.50'],
  [-5, '-5'],
  ['a, b', '"a, b"'],
  ['Bob’s "shoes"', '"Bob’s ""shoes"""'],
  [null, ''],
  [undefined, ''],
  ['order-7', 'order-7'],
])('writes %j as %j', (cell, written) => expect(cellText(cell)).toBe(written));
