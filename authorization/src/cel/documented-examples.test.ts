import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileExpression } from './expression.ts';
import { FIELDS } from './vocabulary.ts';

const PAGE = new URL('../../../docs/operators/rules.md', import.meta.url);

// Outside the checkout the service has no documentation page next to it.
describe.skipIf(!existsSync(PAGE))('the page for operators', () => {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';

  it('has only examples that can be saved', () => {
    const examples = [...page.matchAll(/```cel\n(.*?)\n```/gs)].map(([, expression = '']) => expression);
    expect(examples.length).toBeGreaterThan(5);
    for (const example of examples) expect(() => compileExpression(example), example).not.toThrow();
  });

  it('names every variable and field', () => {
    const names = Object.entries(FIELDS).flatMap(([variable, fields]) => [variable, ...Object.keys(fields)]);
    for (const name of [...names, 'metadata', 'now']) expect(page).toContain(name);
  });
});
