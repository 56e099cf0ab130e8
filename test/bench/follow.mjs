// Measures the screen while its trace pane follows a busy guest of the lab over ssh: lines a second, and how soon a key is
// seen. Needs what the lab needs (test/lab/README.md).
import { load } from '../lab/load.mjs';

process.exitCode = 1;
const { printFollowFigures } = await load('follow-figures.ts');
await printFollowFigures();
process.exit(0);
