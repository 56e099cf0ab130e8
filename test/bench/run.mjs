// npm run bench: builds the program and the bench into build/, and runs it. Figures, budgets and their ratios; nothing
// fails for being slow.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const program = join(root, 'build/bench/program');
const bench = join(root, 'build/bench/bench.mjs');

execFileSync(process.execPath, [join(root, 'src/build.mjs'), program], { stdio: 'inherit' });
await build({
  entryPoints: [join(root, 'test/bench/bench.ts')],
  outfile: bench,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  jsx: 'automatic',
  alias: { 'react-devtools-core': join(root, 'src/no-devtools.mjs') },
  define: { 'process.env.NODE_ENV': '"production"' },
  banner: {
    js: "import { createRequire as benchCreateRequire } from 'node:module'; const require = benchCreateRequire(import.meta.url);",
  },
  external: ['@lydell/node-pty', 'iced-x86', 'fuzzysort'],
  logLevel: 'warning',
});
execFileSync(process.execPath, ['--expose-gc', bench, join(program, 'kdbg.js'), join(root, 'recordings')], {
  stdio: 'inherit',
});
