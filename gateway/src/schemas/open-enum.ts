/** A text whose known values are listed. Later versions may add some, so no client may fail on another one. */
import { type TString, Type } from 'typebox';

export const NEW_VALUES = 'Later versions may add values.';

/** `x-extensible-enum` is the common name of such a list: a plain `enum` would make generated clients refuse new values. */
export function openEnum(
  values: readonly string[],
  options: { description: string; examples: string[] },
): TString {
  return Type.String({ ...options, 'x-extensible-enum': [...values].sort() });
}
