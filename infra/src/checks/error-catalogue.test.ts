import { describe, expect, it } from 'vitest';
import { type Catalogue, differences, type Usage, withoutLists, withTables } from './error-catalogue.ts';

const facts = {
  status: 409,
  title: 'Taken',
  fixedBy: 'caller',
  retry: 'changed',
  key: 'unused',
  leaves: 'nothing',
};
const catalogue: Catalogue = {
  problems: { TAKEN: facts, BROKEN: facts },
  declines: { POOR: { message: 'No money.', fixedBy: 'payer', retry: 'later' } },
  ofPayments: ['POOR'],
  ofRefunds: [],
  reasons: [{ reason: 'NAME_TAKEN', service: 'auth', code: 'ALREADY_EXISTS', problem: 'TAKEN' }],
};
const usage: Usage = {
  gateway: "throw new ProblemError('BROKEN', 'x')",
  services: "new AuthError('NAME_TAKEN'); const decline = 'POOR';",
  byReason: { NAME_TAKEN: 'TAKEN' },
  byOther: ['BROKEN'],
};
const found = (changes: Partial<Usage>) => differences(catalogue, { ...usage, ...changes });

describe('the catalogue of errors', () => {
  it('agrees with the codes in use', () => {
    expect(found({})).toEqual([]);
  });

  it.each<[string, Partial<Usage>, string]>([
    ['a code that is thrown', { gateway: "new ProblemError(\n  'NEW', 'x')" }, 'NEW is thrown'],
    ['a code that an error of gRPC becomes', { byOther: ['BROKEN', 'LOST'] }, 'LOST is not in the catalogue'],
    ['a code that a reason becomes', { byReason: { NAME_TAKEN: 'GONE' } }, 'GONE is not in the catalogue'],
  ])('lacks %s', (_, changes, finding) => {
    expect(found(changes)).toContainEqual(expect.stringContaining(finding));
  });

  it.each<[string, Partial<Usage>, string]>([
    ['a code', { gateway: '', byOther: [] }, 'BROKEN is in the catalogue, but nothing uses it'],
    ['a code whose reason no service uses', { services: "'POOR'" }, 'TAKEN is in the catalogue, but nothing'],
    ['a reason', { services: "'POOR'" }, 'the reason NAME_TAKEN of auth is not used'],
    ['a decline', { services: "'NAME_TAKEN'" }, 'the decline POOR is in the catalogue, but no service'],
  ])('has %s that nothing uses', (_, changes, finding) => {
    expect(found(changes)).toContainEqual(expect.stringContaining(finding));
  });

  it('does not take a list in a description, or in a type, for a use', () => {
    const text =
      "409: problem([\n'BROKEN',\n'TAKEN'], 'x')\nexport type Reason =\n  | 'BROKEN'\n  | 'TAKEN';\nuse('OTHER')";
    expect(withoutLists(text)).not.toMatch(/BROKEN|TAKEN/);
    expect(withoutLists(text)).toContain("use('OTHER')");
  });

  it('fills the tables of a page, and leaves the rest', () => {
    const place = (name: string) => `<!-- table: ${name} -->\nold\n<!-- end -->`;
    const page = ['# Errors', place('declines'), 'Text.', place('problems'), place('reasons'), 'End.'].join(
      '\n',
    );
    const filled = withTables(page, catalogue);
    expect(filled).toContain('| `TAKEN` | 409 | Taken | caller | changed | unused | – |');
    expect(filled).toContain('| `POOR` | No money | payer | later | payments |');
    expect(filled).toContain('| `NAME_TAKEN` | auth | ALREADY_EXISTS | `TAKEN` |');
    expect(filled).toMatch(/^# Errors\n[\s\S]*\nText\.\n[\s\S]*\nEnd\.$/);
    expect(filled).not.toContain('old');
    expect(withTables(filled, catalogue)).toBe(filled);
    expect(() => withTables('# Errors', catalogue)).toThrow('no place');
  });
});
