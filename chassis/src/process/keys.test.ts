import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { firstKey, listKeys } from '../keys.ts';
import { readEnvironment } from './environment.ts';
import { keysFrom, keysSetting } from './keys.ts';

const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const text = (...keys: Buffer[]) => keys.map((key) => key.toString('base64')).join(',');

it('a setting has one key, or several in their order', () => {
  expect(keysFrom(text(one))).toEqual([one]);
  expect(keysFrom(text(two, one))).toEqual([two, one]);
  expect(firstKey(keysFrom(text(two, one)))).toEqual(two);
  expect([firstKey(one), listKeys(one)]).toEqual([one, [one]]);
});

it.each(['', 'short', `${text(one)},`, `,${text(one)}`, `${text(one)} ${text(two)}`, text(Buffer.alloc(31))])(
  'the setting %j is refused',
  (KEY) => {
    expect(() => readEnvironment(Type.Object({ KEY: keysSetting() }), { KEY })).toThrow('KEY');
  },
);
