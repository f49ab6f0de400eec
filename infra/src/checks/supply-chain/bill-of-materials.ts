/** The bill of materials of one of our packages, in the format of CycloneDX (https://cyclonedx.org). */
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';

import { PackageURL } from 'packageurl-js';
import parse from 'spdx-expression-parse';
import { licenceOf } from './licences.ts';
import { type Lock, type RuntimePackage, runtimeOf } from './lock.ts';

export const SPECIFICATION = Spec.Spec1dot6;

/** Returns JSON. Equal lock files have equal bills: they have neither a time nor a random id. */
export function billOfMaterials(lock: Lock, folder: string): string {
  const packages = [...runtimeOf(lock, [folder]).values()];
  const components = new Map(packages.map((each) => [each.folder, componentOf(each, folder)]));
  for (const { folder: from, needs } of packages) {
    for (const to of needs) {
      const needed = components.get(to);
      if (needed) components.get(from)?.dependencies.add(needed.bomRef);
    }
  }
  const own = components.get(folder);
  components.delete(folder);
  const metadata = new Models.Metadata({
    lifecycles: new Models.LifecycleRepository([Enums.LifecyclePhase.PreBuild]),
    ...(own && { component: own }),
  });
  const bom = new Models.Bom({ metadata, components: new Models.ComponentRepository(components.values()) });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(SPECIFICATION));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

const licences = new Contrib.License.Factories.LicenseFactory((expression) => void parse(expression));

function componentOf(each: RuntimePackage, root: string): Models.Component {
  const { folder, name, locked } = each;
  const [scope, rest] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const { version } = locked;
  const purl = new PackageURL('npm', scope, rest, version, undefined, undefined).toString();
  const licence = licenceOf(each);
  const type = folder === root ? Enums.ComponentType.Application : Enums.ComponentType.Library;
  return new Models.Component(type, rest ?? name, {
    // Several folders may have the same package in the same version.
    bomRef: folder,
    purl,
    hashes: hashesOf(locked.integrity),
    licenses: new Models.LicenseRepository(licence === undefined ? [] : [licences.makeFromString(licence)]),
    ...(scope && { group: scope }),
    ...(version && { version }),
  });
}

/** https://www.w3.org/TR/SRI: the name of an algorithm, and the hash in base64. */
function hashesOf(integrity = ''): Models.HashDictionary {
  const [, base64] = /^sha512-(\S+)$/.exec(integrity) ?? [];
  if (base64 === undefined) return new Models.HashDictionary();
  const content = Buffer.from(base64, 'base64').toString('hex');
  return new Models.HashDictionary([[Enums.HashAlgorithm['SHA-512'], content]]);
}
