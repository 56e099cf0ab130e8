#!/usr/bin/env node
// Boots a guest of the lab and keeps it until Ctrl-C: see README.md.
import { parseArgs } from 'node:util';
import { load } from './load.mjs';

const usage = `usage: node test/lab/boot.mjs [--kernel 6.1|6.12] [--paging 4|5] [--memory MB] [--cpus N] [--append WORDS]
                              [--plant STATE]... [--dump FILE] [--run COMMAND]...

  --plant STATE   plant deadlock, rwsem, locks, many, torture, user or "spin CPU": see README.md
  --dump FILE     write a dump of the guest's memory after planting
  --run COMMAND   run a shell command in the guest, print its output and, after the last one, end
  --logins        with users, sudo, passwords and python3
  --single        emulate all CPUs in one thread (for guests where function tracers run)`;

const options = {
  kernel: { type: 'string', default: '6.1' },
  paging: { type: 'string', default: '4' },
  memory: { type: 'string', default: '1024' },
  cpus: { type: 'string', default: '2' },
  append: { type: 'string', default: '' },
  plant: { type: 'string', multiple: true, default: [] },
  run: { type: 'string', multiple: true, default: [] },
  dump: { type: 'string' },
  single: { type: 'boolean', default: false },
  logins: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

const fail = (message) => {
  process.stderr.write(`${message}\n${usage}\n`);
  process.exit(2);
};

let values;
try {
  ({ values } = parseArgs({ options }));
} catch (error) {
  fail(error.message);
}
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

// Leaving by exit() takes the machine along, also while it boots.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

const { bootGuest, kernelLines } = await load('guest.ts');
if (!kernelLines.includes(values.kernel)) fail(`--kernel is one of ${kernelLines.join(', ')}`);
if (!['4', '5'].includes(values.paging)) fail('--paging is 4 or 5');

const guest = await bootGuest({
  kernel: values.kernel,
  paging: Number(values.paging),
  memoryMb: Number(values.memory),
  cpus: Number(values.cpus),
  append: values.append,
  logins: values.logins,
  threads: values.single ? 'single' : 'multi',
});
let status = 0;
try {
  process.stderr.write(`${guest.kernel.release} is up after ${(guest.bootMs / 1000).toFixed(1)} s\n`);
  for (const state of values.plant) await guest.plant(state);
  if (values.dump !== undefined) await guest.dump(values.dump);
  for (const command of values.run) {
    const finished = await guest.run(command, { timeoutMs: 600_000 });
    process.stdout.write(finished.stdout);
    process.stderr.write(finished.stderr);
    status = finished.status;
  }
  if (values.run.length === 0) {
    const ssh = (await guest.ssh()).map((word) => (/^[\w@./=:-]+$/.test(word) ? word : `'${word}'`));
    process.stdout.write(`ssh ${ssh.join(' ')}\n`);
    process.stderr.write('in the guest: kdbg, /proc/kdbg_lab; Ctrl-C here ends it\n');
    await new Promise((resolve) => {
      setInterval(() => guest.machine.ended() !== undefined && resolve(), 1000);
    });
  }
} finally {
  await guest.close();
}
process.exit(status);
