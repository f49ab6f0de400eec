import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { ConfigError, readEnvironment } from './environment.ts';

const schema = Type.Object({
  NAME: Type.String({ minLength: 1 }),
  PORT: Type.Integer({ minimum: 1, default: 80 }),
  LOUD: Type.Boolean({ default: false }),
});

it('converts values, fills in defaults, and leaves out unknown variables', () => {
  expect(readEnvironment(schema, { NAME: 'x', LOUD: 'true', PORT: '', OTHER: '1' })).toEqual({
    NAME: 'x',
    PORT: 80,
    LOUD: true,
  });
});

it('reports all problems at once', () => {
  const read = () => readEnvironment(schema, { PORT: 'many', LOUD: 'perhaps' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/NAME is missing[\s\S]*PORT must be integer[\s\S]*LOUD must be boolean/);
});
