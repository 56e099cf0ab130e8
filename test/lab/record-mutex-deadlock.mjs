#!/usr/bin/env node
// Makes recordings/mutex-deadlock.kdbg anew: boots a guest, plants the deadlock, and records the session of
// record-mutex-deadlock.ts in it. Build first: the guest gets dist/. See README.md.
import { load } from './load.mjs';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

const { makeRecording } = await load('record-mutex-deadlock.ts');
await makeRecording(process.argv[2] ?? new URL('../../recordings/mutex-deadlock.kdbg', import.meta.url).pathname);
process.exit(0);
