import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { createOutput, FORMATS, type Format } from './output.ts';

/** Moves the cursor, opens a control sequence by one character, and turns the direction of the text. */
const evil = { name: 'a\u001b[2Jb\u009bc\u202ed\u2066e\u007f', 'ke\u202ey': '12' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find.
const raw = /[\u001b\u009b\u202e\u2066\u007f]/;

function written(format: Format, use: (output: ReturnType<typeof createOutput>) => void): string {
  let text = '';
  use(
    createOutput(format, (more) => {
      text += more;
    }),
  );
  return text;
}

it.each(FORMATS)('%s never writes control characters of others', (format) => {
  const all = written(format, (output) => {
    output.rows([evil], [['name', ({ name }) => name]]);
    output.object(evil, [['name', ({ name }) => name]]);
    output.item(evil, ({ name }) => name);
    output.say(evil.name);
  });
  expect(all).not.toMatch(raw);
  expect(all).toMatch(/\\u202e/);
});

it('programs read the same text back', () => {
  const object = (format: Format) => written(format, (output) => output.object(evil, []));
  expect(JSON.parse(object('json'))).toEqual(evil);
  expect(parse(object('yaml'))).toEqual(evil);
});
