/** After generation: messages are encoded with src/writer.ts, which ts-proto has no option for. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

const NEW_WRITER = 'writer: BinaryWriter = new BinaryWriter()';

for (const file of globSync('gen/**/*.ts')) {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(NEW_WRITER)) continue;
  const source = `${relative(dirname(file), 'src/writer.ts')}`;
  const reusing = text.replaceAll(NEW_WRITER, 'writer: BinaryWriter = messageWriter()');
  writeFileSync(file, `import { messageWriter } from "${source}";\n${reusing}`);
}
