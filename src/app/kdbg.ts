#!/usr/bin/env node
/**
 * The program's first file: answers `--version` at the price of starting node, and loads the rest for everything else.
 */
declare const KDBG_VERSION: string;

if (process.argv.length === 3 && process.argv[2] === '--version') {
  process.stdout.write(`kdbg ${KDBG_VERSION}\n`);
} else {
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2), KDBG_VERSION, new URL('./engine.js', import.meta.url));
}
