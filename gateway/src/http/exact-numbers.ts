/**
 * Finds numbers that JSON.parse rounds: it reads 100.00000000000000001 as 100. An amount that a client wrote and one that the
 * platform moves must never differ.
 */

/** Every integer with up to this many digits is exact. */
export const ALWAYS_EXACT_DIGITS = 15;
const IS_ALWAYS_EXACT = new RegExp(`^-?\\d{1,${ALWAYS_EXACT_DIGITS}}$`);
const NUMBER = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Returns true if the text of a JSON number has the same decimal value as the number that JavaScript reads. */
export function isExact(source: string): boolean {
  if (IS_ALWAYS_EXACT.test(source)) return true;
  const value = Number(source);
  return Number.isFinite(value) && decimalOf(source) === decimalOf(String(value));
}

/** Returns one text for all ways to write a decimal: `1.50`, `15e-1` and `1.5` are all `15e-1`. */
function decimalOf(text: string): string | undefined {
  const parts = NUMBER.exec(text);
  if (!parts) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  const significant = (whole + fraction).replace(/^0+/, '');
  const digits = significant.slice(0, endOfDigits(significant));
  if (digits === '') return '0';
  const zeros = significant.length - digits.length;
  return `${sign}${digits}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(zeros)}`;
}

/** Returns the length without the zeros at the end. A regular expression would take quadratic time for zeros in the middle. */
function endOfDigits(digits: string): number {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return end;
}

/** Returns the JSON pointer to the first number of the text that is not exact. */
export function findRounded(text: string): string | undefined {
  let found: { holder: object; key: string } | undefined;
  function check(this: object, key: string, value: unknown, { source }: { source?: string }): unknown {
    if (typeof value === 'number' && source !== undefined && !isExact(source))
      found ??= { holder: this, key };
    return value;
  }
  // Only the object or array around a value is known here. A search in the whole value finds its place.
  const root = JSON.parse(text, check as (this: object, key: string, value: unknown) => unknown);
  if (!found) return undefined;
  const parent = placeOf(found.holder, root, '');
  return parent === undefined ? '' : `${parent}/${found.key}`;
}

function placeOf(holder: object, value: unknown, pointer: string): string | undefined {
  if (value === holder) return pointer;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = placeOf(holder, item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
