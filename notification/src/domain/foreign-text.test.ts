import { expect, it } from 'vitest';
import { foreignText } from './foreign-text.ts';
import { html } from './html.ts';

it.each([
  ['Rent', 'Rent'],
  ['  Rent \t for\r\nJuly  ', 'Rent for July'],
  ['Rent\u2028July\u2029now', 'Rent July now'],
  ['invoice \u202Efdp.exe', 'invoice fdp.exe'],
  ['a\u0000b\u200Bc', 'a b c'],
  ['\n', ''],
])('%j becomes the line %j', (text, line) => {
  expect(foreignText(text)).toBe(line);
});

it('a text of 140 characters is kept, and a longer one ends with an ellipsis there', () => {
  // Each is one character of two UTF-16 units.
  const text = (length: number) => '👍'.repeat(length);
  expect(foreignText(text(140))).toBe(text(140));
  expect(foreignText(text(141))).toBe(`${text(139)}…`);
});

it('HTML shows a text as it is, and only its own tags are tags', () => {
  const text = `Tom & "Ann" <b>'s</b>`;
  expect(html`<p title="${text}">${text}</p>`.markup).toBe(
    '<p title="Tom &amp; &quot;Ann&quot; &lt;b&gt;&#39;s&lt;/b&gt;">' +
      'Tom &amp; &quot;Ann&quot; &lt;b&gt;&#39;s&lt;/b&gt;</p>',
  );
  expect(html`${[html`<i>${'<'}</i>`, html`<hr>`]}`.markup).toBe('<i>&lt;</i>\n<hr>');
});
