/** The licences of runtime dependencies that we accept, and the known vulnerabilities that do not concern us. */

/**
 * SPDX ids (https://spdx.org/licenses). All of them let us and our users run, change and pass on the platform without publishing its
 * source. MPL-2.0 asks that only for changes of its own files, and we change none.
 */
export const ALLOWED_LICENCES = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'OFL-1.1',
  'Unlicense',
  'Zlib',
] as const;

/** Packages whose `package.json` does not name their licence by its SPDX id, with the licence in their files. By name and version. */
export const LICENCES_BY_HAND: Readonly<Record<string, string>> = {
  'individual@2.0.0': 'MIT',
  'safe-json-parse@4.0.0': 'MIT',
};

/** Advisories that do not concern the platform, by their GHSA id, each with the reason. */
export const ACCEPTED_ADVISORIES: Readonly<Record<string, string>> = {};
