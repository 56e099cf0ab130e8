// Builds dist/: the program as ES modules, split so that `kdbg --version` loads almost nothing, the screen does not
// load the engine, and a library is loaded when the first command needs it. Another folder may be named.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const outdir = process.argv[2] ?? 'dist';
const folder = resolve(root, outdir);

rmSync(folder, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: {
    kdbg: 'src/app/kdbg.ts',
    engine: 'src/engine/worker.ts',
    io: 'src/backends/remote/io-thread.ts',
    search: 'src/engine/search-worker.ts',
  },
  outdir: folder,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  // These find their own files beside them (iced-x86's .wasm, ssh2's optional native part) or are loaded with require()
  // on first use.
  external: ['iced-x86', 'fuzzysort', 'ssh2'],
  jsx: 'automatic',
  // ink asks for it in development only.
  alias: { 'react-devtools-core': join(root, 'src/no-devtools.mjs') },
  define: {
    KDBG_VERSION: JSON.stringify(version),
    'process.env.NODE_ENV': '"production"',
    'process.env.DEV': '"false"',
  },
  banner: {
    js: "import { createRequire as kdbgCreateRequire } from 'node:module'; const require = kdbgCreateRequire(import.meta.url);",
  },
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
});
// The far side's programs: sent as they are.
cpSync(join(root, 'src/backends/remote/reader/far'), join(folder, 'far'), { recursive: true });
