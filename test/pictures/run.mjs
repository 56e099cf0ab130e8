// npm run pictures: builds the program, uses it in a headless terminal, and writes what is on the screen to
// docs/pictures as SVG. A folder of the program's own under build/ serves as its home.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const program = join(root, 'build/pictures/program');
const script = join(root, 'build/pictures/pictures.mjs');

execFileSync(process.execPath, [join(root, 'src/build.mjs'), program], { stdio: 'inherit' });
await build({
  entryPoints: [join(root, 'test/pictures/pictures.ts')],
  outfile: script,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['@lydell/node-pty', '@xterm/headless'],
  logLevel: 'warning',
});
execFileSync(
  process.execPath,
  [script, join(program, 'kdbg.js'), join(root, 'recordings'), join(root, 'docs/pictures')],
  {
    stdio: 'inherit',
  },
);
