import { describe, expect, it } from 'vitest';
import { checkText } from './prose.ts';

const found = async (text: string, file = 'page.md') =>
  (await checkText(file, text)).map(({ line, message }) => `${line}: ${message}`);

describe('the rules of prose', () => {
  it.each([
    [
      'consumed by consumers that recognise what they know',
      'Consumers skip events they have already applied.',
    ],
    [
      'What a creation was first answered with is not stored: it follows from the payment',
      'The first response to a create request is not stored. It is rebuilt from the payment.',
    ],
    [
      'Room to grow only for services that somebody waits for',
      'Only services on the request path get the larger heap growth factor.',
    ],
    ['what works behind an answer yields less', 'Background services run at a lower priority.'],
    ['Whoever is not named is refused', 'Callers that are not listed are refused.'],
    [
      'Two of them never wait for each other in a circle',
      'Locks are taken in id order, so two batches cannot deadlock.',
    ],
    ['a group of files that nobody waits for', 'background jobs'],
    ['What V8 keeps', 'Why V8 keeps short-lived objects'],
  ])('report "%s" and accept "%s"', async (avoid, write) => {
    expect(await found(avoid)).not.toEqual([]);
    expect(await found(write)).toEqual([]);
  });

  it('allow questions and headings that begin with a question word', async () => {
    expect(await found('# Where the time goes\n\nWhere is my payment? It is in `payments`.')).toEqual([]);
  });

  it('count the words of a sentence across lines, without code', async () => {
    const words = (count: number) => Array(count).fill('word').join(' ');
    expect(await found(`${words(15)}\n${words(15)} \`code\`.`)).toEqual([]);
    expect(await found(`Short.\nWord ${words(15)}\n${words(15)}.`)).toEqual([
      expect.stringMatching(/^2: .*31 words/),
    ]);
  });

  it('report links to files and headings that do not exist', async () => {
    const page =
      '[a](README.md) [b](README.md#no-such-heading) [c](no-such-file.md) [d](https://example.com)';
    expect(await found(page)).toEqual([
      expect.stringContaining('no heading #no-such-heading'),
      expect.stringContaining('no no-such-file.md'),
    ]);
  });
});

describe('comments are checked', () => {
  it.each([
    ['a.ts', "const url = 'http://x'; // What it is.\n"],
    ['a.ts', '/** What it is. */\n'],
    ['a.ts', `${'it'}('what it is', () => {});\n`],
    ['a.sql', "SELECT '-- fine'; -- What it is.\n"],
    ['a.proto', '// What it is.\n'],
    ['Makefile', '# What it is.\n'],
  ])('in %s: %s', async (file, source) => {
    expect(await found(`\n\n${source}`, file)).toEqual([expect.stringMatching(/^3: .*begins with What/i)]);
  });

  it('as one text when they fill whole lines, as two when they stand behind code', async () => {
    const half = Array(16).fill('word').join(' ');
    expect(await found(`// ${half}\n// ${half}\n`, 'a.ts')).toHaveLength(1);
    expect(await found(`a(); // ${half}\nb(); // ${half}\n`, 'a.ts')).toEqual([]);
  });
});
