import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a virtual machine is to be. */
export interface MachineOptions {
  readonly vmlinuz: string;
  /** Writes the initramfs to the path that it is given. */
  readonly writeInitramfs: (path: string) => void;
  readonly memoryMb: number;
  readonly cpus: number;
  /** Levels of page tables: 5 is what the emulated processor has, 4 hides that. */
  readonly paging: 4 | 5;
  /** Added to the kernel's command line; a later word wins. */
  readonly append: string;
  /** `single` where a tracer patches code that another CPU runs: multi-threaded emulation has oopsed there. */
  readonly threads: 'multi' | 'single';
  /** Guest TCP ports to make reachable. */
  readonly ports: readonly number[];
}

/** A running QEMU, software emulation. */
export interface Machine {
  readonly pid: number;
  /** The port on 127.0.0.1 that leads to a guest's port. */
  hostPort(guestPort: number): number;
  /** What the guest's serial console has printed. */
  console(): string;
  /** One QMP command; throws what QEMU answers as an error. */
  command(execute: string, args?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<unknown>;
  /** Why the machine is gone, or undefined while it runs. */
  ended(): string | undefined;
  close(): Promise<void>;
}

interface QmpMessage {
  readonly QMP?: unknown;
  readonly event?: string;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly id?: number;
}

/** A QMP connection: commands are numbered, so answers find their way; events are ignored. */
const openQmp = async (socket: Socket) => {
  const waiting = new Map<number, (message: Omit<QmpMessage, 'id'>) => void>();
  let gone = false;
  let text = '';
  let count = 0;
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) {
      const message = JSON.parse(line) as QmpMessage;
      if (message.id !== undefined) waiting.get(message.id)?.(message);
    }
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      gone = true;
      for (const give of [...waiting.values()]) give({ error: { class: 'Gone', desc: 'the machine is gone' } });
    });
  const command = (execute: string, args: Readonly<Record<string, unknown>> = {}, timeoutMs = 60_000) =>
    new Promise<unknown>((resolve, reject) => {
      const id = count++;
      const give = (settle: () => void): void => {
        waiting.delete(id);
        clearTimeout(timer);
        settle();
      };
      const timer = setTimeout(() => {
        give(() => reject(new Error(`qemu: ${execute}: no answer in ${timeoutMs} ms`)));
      }, timeoutMs);
      waiting.set(id, ({ error, return: value }) => {
        give(() => (error === undefined ? resolve(value) : reject(new Error(`qemu: ${execute}: ${error.desc}`))));
      });
      if (gone) waiting.get(id)?.({ error: { class: 'Gone', desc: 'the machine is gone' } });
      else socket.write(`${JSON.stringify({ execute, arguments: args, id })}\n`);
    });
  await command('qmp_capabilities');
  return command;
};

const connect = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });

/** The machines of this process with their folders: neither outlives it. */
const running = new Map<ChildProcess, string>();
process.on('exit', () => {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

export const startMachine = async (options: MachineOptions): Promise<Machine> => {
  const folder = mkdtempSync(join(tmpdir(), 'kdbg-lab-'));
  const serial = join(folder, 'console');
  const monitor = join(folder, 'qmp');
  const initramfs = join(folder, 'initramfs');
  options.writeInitramfs(initramfs);
  const forwards = options.ports.map((port) => `,hostfwd=tcp:127.0.0.1:0-:${port}`).join('');
  const args = [
    ['-accel', `tcg,thread=${options.threads}`],
    ['-cpu', options.paging === 4 ? 'max,la57=off' : 'max'],
    ['-m', `${options.memoryMb}`],
    ['-smp', `${options.cpus}`],
    ['-kernel', options.vmlinuz],
    ['-initrd', initramfs],
    ['-append', `console=ttyS0 panic=-1 ${options.append}`],
    ['-display', 'none'],
    ['-no-reboot'],
    ['-serial', `file:${serial}`],
    ['-qmp', `unix:${monitor},server=on,wait=off`],
    // Gives VMCOREINFO a place in dumps, once the guest's qemu_fw_cfg has announced it.
    ['-device', 'vmcoreinfo'],
    ['-netdev', `user,id=n0${forwards}`],
    ['-device', 'virtio-net-pci,netdev=n0,romfile='],
  ].flat();
  // setpriv: the machine dies with the thread that started it, even where that is killed outright.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.set(child, folder);
  let said = '';
  let end: string | undefined;
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const gone = new Promise<void>((resolve) => {
    const finish = (reason: string): void => {
      end ??= reason;
      running.delete(child);
      rmSync(folder, { recursive: true, force: true });
      resolve();
    };
    child.once('error', (error) => finish(error.message));
    child.once('close', (code, signal) => finish(`qemu ended with ${signal ?? `status ${code}`}: ${said.trim()}`));
  });
  let consoleText = '';
  const console = (): string => {
    // The file goes with the machine; what was read last stays.
    try {
      consoleText = readFileSync(serial, 'utf8');
    } catch {
      return consoleText;
    }
    return consoleText;
  };
  const close = async (): Promise<void> => {
    console();
    end ??= 'closed';
    child.kill('SIGKILL');
    await gone;
  };

  try {
    const deadline = performance.now() + 30_000;
    let socket: Socket | undefined;
    while (socket === undefined) {
      if (end !== undefined) throw new Error(end);
      if (performance.now() > deadline) throw new Error('qemu did not open its monitor in 30 s');
      socket = await connect(monitor).catch(() => undefined);
      if (socket === undefined) await sleep(20);
    }
    socket.unref();
    const command = await openQmp(socket);
    // The monitor answers once the machine is set up, so QEMU has read this large file: it is not left behind.
    rmSync(initramfs);
    const network = await command('human-monitor-command', { 'command-line': 'info usernet' });
    const ports = new Map(
      [...String(network).matchAll(/TCP\[HOST_FORWARD\]\s+\S+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/g)].map(([, host, guest]) => [
        Number(guest),
        Number(host),
      ]),
    );
    return {
      pid: child.pid!,
      hostPort: (guestPort) => {
        const port = ports.get(guestPort);
        if (port === undefined) throw new Error(`port ${guestPort} of the guest is not forwarded`);
        return port;
      },
      console,
      command,
      ended: () => end,
      close,
    };
  } catch (error) {
    // If QEMU refused its arguments, what it said is the better error: give it the moment that it needs to end.
    await Promise.race([gone, sleep(500)]);
    const reason = end;
    await close();
    throw reason === undefined ? error : new Error(reason);
  }
};
