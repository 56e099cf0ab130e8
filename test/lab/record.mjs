#!/usr/bin/env node
// Makes recordings/NAME.kdbg and its transcript anew, by record-NAME.ts. Build first: the guest gets dist/. See README.md.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './load.mjs';

const name = process.argv[2];
if (name === undefined || !existsSync(join(import.meta.dirname, `record-${name}.ts`))) {
  process.stderr.write('usage: node test/lab/record.mjs NAME, where there is a record-NAME.ts\n');
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

const [{ recipe }, { makeRecording }] = await Promise.all([load(`record-${name}.ts`), load('recording.ts')]);
await makeRecording(recipe);
process.exit(0);
