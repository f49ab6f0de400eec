import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { ConfigError, readEnvironment } from './environment.ts';

const schema = Type.Object({
  NAME: Type.String({ minLength: 1 }),
  PORT: Type.Integer({ minimum: 1, default: 80 }),
  LOUD: Type.Boolean({ default: false }),
});

it('converts, fills in defaults, and leaves out what it does not know', () => {
  expect(readEnvironment(schema, { NAME: 'x', LOUD: 'true', PORT: '', OTHER: '1' })).toEqual({
    NAME: 'x',
    PORT: 80,
    LOUD: true,
  });
});

it('names everything that is wrong at once', () => {
  const read = () => readEnvironment(schema, { PORT: 'many', LOUD: 'perhaps' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/NAME is missing[\s\S]*PORT must be integer[\s\S]*LOUD must be boolean/);
});
