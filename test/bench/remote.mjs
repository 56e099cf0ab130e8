// Measures `kdbg ssh` over a link with round trips of 50 ms to a guest of the lab with 1,000 tasks, and prints the table of
// docs/remote.md. Needs what the lab needs (test/lab/README.md).
import { load } from '../lab/load.mjs';

process.exitCode = 1;
const { printRemoteFigures } = await load('remote-figures.ts');
await printRemoteFigures();
process.exit(0);
