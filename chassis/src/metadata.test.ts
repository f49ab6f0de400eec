import { expect, it } from 'vitest';
import { collectViolations, type Violation } from './errors.ts';
import { changedMetadata, type Metadata, requireMetadata } from './metadata.ts';

const before: Metadata = { branch: 'Berlin', desk: '7' };

/** All violations that it finds. */
function faultsOf(metadata: Metadata, path?: string): Violation[] {
  const faults: Violation[] = [];
  const violations = collectViolations((all) => {
    faults.push(...all);
    return new Error('not valid');
  });
  requireMetadata(violations, metadata, path);
  try {
    violations.throwIfAny();
  } catch {
    // The faults are collected.
  }
  return faults;
}

const pairs = (count: number): Metadata =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

it.each<[string, Metadata]>([
  ['none', {}],
  ['20 pairs', pairs(20)],
  ['a name of 40 and a value of 500 characters', { ['n'.repeat(40)]: '€'.repeat(500) }],
  ['an empty value', { note: '' }],
])('takes %s', (_, metadata) => expect(faultsOf(metadata)).toEqual([]));

const NAMES = 'keys must be 1 to 40 characters, none of them NUL';
it.each<[string, Metadata, Violation]>([
  ['21 pairs', pairs(21), { field: 'items.0.metadata', description: 'must have at most 20 pairs' }],
  ['an empty name', { '': 'x' }, { field: 'items.0.metadata', description: NAMES }],
  ['a long name', { ['n'.repeat(41)]: 'x' }, { field: 'items.0.metadata', description: NAMES }],
  ['NUL in a name', { 'a\0': 'x' }, { field: 'items.0.metadata', description: NAMES }],
  [
    'a long value',
    { a: 'x'.repeat(501) },
    { field: 'items.0.metadata.a', description: 'must be at most 500 characters' },
  ],
])('refuses %s, with its path', (_, metadata, fault) =>
  expect(faultsOf(metadata, 'items.0.')).toEqual([fault]),
);

it.each<[string, Metadata, string[], Metadata]>([
  ['adds a pair', { shelf: '3' }, [], { ...before, shelf: '3' }],
  ['replaces a value', { branch: 'Bonn' }, [], { ...before, branch: 'Bonn' }],
  ['removes a pair', {}, ['branch', 'unknown'], { desk: '7' }],
  ['keeps the new value of a name that is also removed', { desk: '8' }, ['desk'], { ...before, desk: '8' }],
])('a change %s', (_, metadata, removedMetadata, after) => {
  const changed = changedMetadata(before, { metadata, removedMetadata });
  expect(changed).toEqual(after);
  expect(changedMetadata(changed, { metadata: {}, removedMetadata: [] })).toBe(changed);
});

it.each<[Metadata, string[]]>([
  [{}, []],
  [{ desk: '7' }, []],
  [{}, ['unknown', 'toString']],
])('a change by %j and removal of %j changes nothing', (metadata, removedMetadata) => {
  expect(changedMetadata(before, { metadata, removedMetadata })).toBe(before);
});
