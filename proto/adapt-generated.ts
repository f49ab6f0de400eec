/**
 * Changes generated code in two ways for which ts-proto has no option: messages are encoded with src/writer.ts, and times are
 * read by src/timestamp.ts.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

const NEW_WRITER = 'writer: BinaryWriter = new BinaryWriter()';
const CONVERSIONS = /^function (toTimestamp|fromTimestamp)\(.*?^\}\n/gms;

const done = { writer: 0, toTimestamp: 0, fromTimestamp: 0 };

for (const file of globSync('gen/**/*.ts')) {
  const source = (name: string) => relative(dirname(file), `src/${name}.ts`);
  const imports: string[] = [];
  const given = (name: keyof typeof done, from: string, imported: string = name) => {
    imports.push(`import { ${imported} } from "${source(from)}";\n`);
    done[name] += 1;
  };

  let text = readFileSync(file, 'utf8');
  if (text.includes(NEW_WRITER)) {
    text = text.replaceAll(NEW_WRITER, 'writer: BinaryWriter = messageWriter()');
    given('writer', 'writer', 'messageWriter');
  }
  text = text.replaceAll(CONVERSIONS, (_, name: 'toTimestamp' | 'fromTimestamp') => {
    given(name, 'timestamp');
    return '';
  });
  if (imports.length > 0) writeFileSync(file, imports.join('') + text);
}

for (const [name, files] of Object.entries(done)) {
  if (files === 0)
    throw new Error(`The generated code of ts-proto has another form of ${name}: nothing was replaced.`);
}
