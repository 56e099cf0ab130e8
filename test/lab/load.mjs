// Bundles one of the lab's TypeScript files and imports it, for the lab's plain scripts: node 20 does not read TypeScript.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Imports `test/lab/NAME`. */
export const load = async (name) => {
  const root = join(import.meta.dirname, '..', '..');
  const folder = join(root, '.lab', 'scripts');
  const outfile = join(folder, `${name}-${process.pid}.mjs`);
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(import.meta.dirname, name)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile);
  }
};
