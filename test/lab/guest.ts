import { setTimeout as sleep } from 'node:timers/promises';
import { type Finished, type RunOptions, runInGuest } from './agent.ts';
import { sshKeyPath, writeInitramfs } from './initramfs.ts';
import { type Kernel, type KernelLine, loadKernel } from './kernel.ts';
import { buildModule } from './kmod.ts';
import { type Machine, startMachine } from './qemu.ts';
import { parseTruth, type Truth } from './truth.ts';

export { kernelLines } from './kernel.ts';

const agentPort = 2;
const sshPort = 22;
/** Where sshd asks questions, in a guest with logins. */
const askingPort = 23;

export interface GuestOptions {
  readonly kernel: KernelLine;
  /** Levels of page tables; 4 unless told. */
  readonly paging?: 4 | 5;
  readonly memoryMb?: number;
  readonly cpus?: number;
  /** Added to the kernel's command line: `nokaslr`, `pti=on`, `preempt=full`, `panic=0`, ... */
  readonly append?: string;
  /** `single` for guests where function tracers run. */
  readonly threads?: 'multi' | 'single';
  /** Whether node and the built project are in the guest; true unless told. They cost about 2 s of boot. */
  readonly node?: boolean;
  /** Whether the lab's module is loaded; true unless told. */
  readonly module?: boolean;
  /** Whether it has users, sudo, passwords and python3 (logins.ts); false unless told. */
  readonly logins?: boolean;
  readonly bootTimeoutMs?: number;
}

/** Output of a command in the guest, as text. */
export interface GuestOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** A booted guest. Close it, always. */
export interface Guest {
  readonly kernel: Kernel;
  /** The QEMU under it: its monitor, console and process. */
  readonly machine: Machine;
  /** From starting QEMU to the first command that ran, in milliseconds. */
  readonly bootMs: number;
  /** Runs a shell command. */
  run(command: string, options?: RunOptions): Promise<GuestOutput>;
  /** Runs a shell command that must succeed, and returns its output. */
  must(command: string, options?: RunOptions): Promise<string>;
  /** Writes a file in the guest. */
  put(path: string, content: Uint8Array | string, mode?: number): Promise<void>;
  /** Reads a file of the guest, such as one in /proc. */
  get(path: string): Promise<Buffer>;
  /**
   * Plants states: `deadlock`, `rwsem`, `locks` (README.md lists more) and `spin CPU` are kernel threads of the module,
   * `user` is processes in every way of sleeping (guest/states.c).
   */
  plant(state: string): Promise<void>;
  /** What was planted, as those who planted it say. */
  truth(): Promise<Truth>;
  /** Waits for sshd, and returns the arguments of `ssh` that enter the guest as root (a command may follow). */
  ssh(): Promise<readonly string[]>;
  /**
   * Writes a dump of the guest's memory, which stands still meanwhile: an ELF core, or a compressed dump in makedumpfile's
   * flattened form.
   */
  dump(path: string, format?: 'elf' | 'kdump-zlib'): Promise<void>;
  /** Stops and continues all CPUs. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Polls until `attempt` succeeds; gives up with the console's end when the machine ends or time runs out. */
const waitFor = async <T>(machine: Machine, what: string, timeoutMs: number, attempt: () => Promise<T>): Promise<T> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const console = machine.console();
      const why =
        machine.ended() ??
        (/Kernel panic/.test(console) ? 'the kernel panicked' : undefined) ??
        (performance.now() > deadline ? `not in ${timeoutMs} ms (${(error as Error).message})` : undefined);
      if (why !== undefined) {
        throw new Error(`${what}: ${why}\nThe console ends with:\n${console.split('\n').slice(-30).join('\n')}`);
      }
      await sleep(100);
    }
  }
};

/** Boots a kernel, with the module loaded, and waits until commands run. */
export const bootGuest = async (options: GuestOptions): Promise<Guest> => {
  const kernel = loadKernel(options.kernel);
  const module = buildModule(kernel);
  const started = performance.now();
  const machine = await startMachine({
    vmlinuz: kernel.vmlinuz,
    writeInitramfs: (path) =>
      writeInitramfs(kernel, module, { node: options.node ?? true, logins: options.logins ?? false }, path),
    memoryMb: options.memoryMb ?? 1024,
    cpus: options.cpus ?? 2,
    paging: options.paging ?? 4,
    append: options.append ?? '',
    threads: options.threads ?? 'multi',
    ports: [agentPort, sshPort, askingPort],
  });
  const runBytes = (command: string, settings?: RunOptions): Promise<Finished> =>
    runInGuest(machine.hostPort(agentPort), command, settings);
  const run = async (command: string, settings?: RunOptions): Promise<GuestOutput> => {
    const { stdout, stderr, status } = await runBytes(command, settings);
    return { stdout: stdout.toString(), stderr: stderr.toString(), status };
  };
  const mustBytes = async (command: string, settings?: RunOptions): Promise<Buffer> => {
    const { stdout, stderr, status } = await runBytes(command, settings);
    if (status === 0) return stdout;
    throw new Error(`guest: status ${status} of ${command}: ${stderr.toString().trim()}`);
  };
  const must = async (command: string, settings?: RunOptions): Promise<string> =>
    (await mustBytes(command, settings)).toString();

  try {
    await waitFor(machine, `${kernel.release} does not boot`, options.bootTimeoutMs ?? 120_000, () => {
      // A connection to a guest without a network is accepted and waits for long.
      if (!machine.console().includes('lab: up')) throw new Error('init has not come to its end');
      return run('true', { timeoutMs: 5_000, greetingMs: 5_000 });
    });
    const bootMs = performance.now() - started;
    if (options.module ?? true) await must('insmod /modules/kdbg_lab.ko');
    return {
      kernel,
      machine,
      bootMs,
      run,
      must,
      put: async (path, content, mode = 0o644) => {
        const command = `cat > ${quote(path)} && chmod ${mode.toString(8)} ${quote(path)}`;
        await must(command, { stdin: Buffer.from(content) });
      },
      get: (path) => mustBytes(`cat ${quote(path)}`),
      plant: async (state) => {
        await must(state === 'user' ? 'lab-states > /run/lab-user' : `echo ${quote(state)} > /proc/kdbg_lab`);
      },
      truth: async () => parseTruth(await must('cat /proc/kdbg_lab; [ ! -e /run/lab-user ] || cat /run/lab-user')),
      ssh: async () => {
        await waitFor(machine, 'sshd does not answer', 60_000, () => must('netstat -ltn | grep -q :22'));
        return [
          ...['-i', sshKeyPath(), '-p', `${machine.hostPort(sshPort)}`, '-F', 'none', '-o', 'BatchMode=yes'],
          ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
          'root@127.0.0.1',
        ];
      },
      dump: async (path, format = 'elf') => {
        await machine.command(
          'dump-guest-memory',
          { paging: false, protocol: `file:${path}`, ...(format === 'elf' ? {} : { format }) },
          300_000,
        );
      },
      pause: async () => {
        await machine.command('stop');
      },
      resume: async () => {
        await machine.command('cont');
      },
      close: machine.close,
    };
  } catch (error) {
    await machine.close();
    throw error;
  }
};
