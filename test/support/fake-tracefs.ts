/**
 * A tracefs in a map: files that a tracer's directory has, instances that can be made and removed, and refusals as the
 * kernel's. `changes` holds each step that was tried, `restores` what was said to be restored, in one order.
 */
import type {
  Backend,
  CommandRequest,
  ControlSource,
  ControlStep,
  FileFailure,
  FileSource,
  FileStream,
} from '../../src/core/memory/backend.ts';
import { encodeText } from '../../src/core/memory/text.ts';
import { FakeKernel } from './fake-kernel.ts';
import { FakeProbes } from './fake-probes.ts';
import { type FakeSession, fakeSession } from './fake-session.ts';

export const ROOT = '/sys/kernel/tracing';
const INSTANCE = /^\/sys\/kernel\/tracing\/instances\/[^/]+$/;
const NO_FILTER = '#### all functions enabled ####\n';

/** As a directory has them at first. */
const FIRST: Readonly<Record<string, string>> = {
  current_tracer: 'nop\n',
  tracing_on: '1\n',
  trace: '# tracer: nop\n',
  trace_clock: '[local] global mono boot\n',
  buffer_size_kb: '1408\n',
  trace_options: 'print-parent\nnosym-offset\n',
  tracing_cpumask: '3\n',
  set_ftrace_filter: NO_FILTER,
  set_ftrace_notrace: '#### no functions disabled ####\n',
  set_ftrace_pid: 'no pid\n',
  set_ftrace_notrace_pid: 'no pid\n',
  set_event: '',
  set_event_pid: '',
  set_event_notrace_pid: '',
  'options/sym-offset': '0\n',
  'options/stacktrace': '0\n',
  'options/event-fork': '0\n',
  'options/function-fork': '0\n',
  'events/sched/enable': '0\n',
  'events/sched/filter': 'none\n',
  'events/sched/sched_switch/enable': '0\n',
  'events/sched/sched_switch/filter': 'none\n',
  'per_cpu/cpu0/stats': 'entries: 0\noverrun: 0\ncommit overrun: 0\nbytes: 0\ndropped events: 0\nread events: 0\n',
  'per_cpu/cpu1/stats': 'entries: 3\noverrun: 2\ncommit overrun: 0\nbytes: 144\ndropped events: 1\nread events: 0\n',
};

/** What the whole kernel has once. */
const ONCE: Readonly<Record<string, string>> = {
  available_tracers: 'function_graph function nop\n',
  available_filter_functions: 'do_sys_open\ndo_sys_openat2\nvfs_read\nlab_sleep [kdbg_lab]\n',
  available_events: 'sched:sched_switch\nsched:sched_waking\nsyscalls:sys_enter_openat\n',
  dynamic_events: '',
  kprobe_profile: '',
  uprobe_profile: '',
  error_log: '',
  README: [
    '\t   Format: p[:[<group>/][<event>]] <place> [<args>]',
    '\t           f[:[<group>/][<event>]] <func-name>[%return] [<args>]',
    '\t           t[:[<group>/][<event>]] <tracepoint> [<args>]',
    '   place (uprobe): <path>:<offset>[%return][(ref_ctr_offset)]',
    '\t           $stack<index>, $stack, $retval, $comm, $arg<N>,',
    '\t     kernel return probes support: $retval, $arg<N>, $comm',
    '',
  ].join('\n'),
  enabled_functions: '',
};

export class FakeTracefs {
  readonly files = new Map<string, string>([
    ['/proc/meminfo', 'MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n'],
    ['/proc/500/task/500/comm', 'kdbg\n'],
    ['/proc/500/task/501/comm', 'kdbg\n'],
    ['/proc/500/status', 'Name:\tkdbg\nPPid:\t400\n'],
    ['/proc/400/status', 'Name:\tsshd\nPPid:\t1\n'],
  ]);
  readonly directories = new Set<string>([`${ROOT}/instances`]);
  readonly probes = new FakeProbes(ROOT, this.files, () => [
    ROOT,
    ...[...this.directories].filter((path) => INSTANCE.test(path)),
  ]);
  readonly changes: ControlStep[] = [];
  /** Each with how many changes there were when it was said. */
  readonly restores: { readonly steps: readonly ControlStep[]; readonly after: number }[] = [];
  /** What a path, or the end of one, answers to a change. */
  readonly refusals = new Map<string, string>();
  /** What `trace` holds once a tracer or an event is on. */
  trace = '';
  /** What a stream brings, piece by piece; it ends when they are over. */
  flow: string[] = [];
  /** False where more may come at any time. */
  flowEnds = true;
  /** Runs commands; a target that cannot has none. */
  run: ((request: CommandRequest) => FileStream | FileFailure) | undefined;
  /** An option of a tracer is the same in all directories. */
  stackOption = '0\n';
  #randoms = 0;

  constructor() {
    this.#fill(ROOT);
    for (const [name, text] of Object.entries(ONCE)) this.files.set(`${ROOT}/${name}`, text);
  }

  /** All but what is read only to know: the state that must be as it was. */
  snapshot(): string {
    return JSON.stringify([
      [...this.files].filter(([path]) => !path.startsWith('/proc/sys/')),
      [...this.directories],
      this.stackOption,
    ]);
  }

  makeInstance(name: string): string {
    const path = `${ROOT}/instances/${name}`;
    this.directories.add(path);
    this.#fill(path);
    this.probes.fill(path);
    return path;
  }

  get instances(): readonly string[] {
    return [...this.directories]
      .filter((path) => INSTANCE.test(path))
      .map((path) => path.slice(path.lastIndexOf('/') + 1));
  }

  /** A session of PID 500 on a live kernel that has nothing but this. */
  session(
    options: {
      readonly control?: false;
      readonly streams?: false;
      readonly cancelled?: () => boolean;
      readonly kernel?: FakeKernel;
    } = {},
  ): FakeSession {
    const { cancelled, kernel = new FakeKernel() } = options;
    const backend = this.backend(options);
    return fakeSession(kernel, { backend, pid: 500, ...(cancelled === undefined ? {} : { cancelled }) });
  }

  backend(options: { readonly control?: false; readonly streams?: false } = {}): Backend {
    return {
      name: 'fake',
      liveness: 'live',
      files: this.source,
      ...(options.control === false ? {} : { control: this.control }),
      ...(options.streams === false
        ? {}
        : { streams: { open: (path) => this.#open(path), ...(this.run && { run: this.run }) } }),
      counters: { roundTrips: 0, bytes: 0 },
      capabilities: () => [],
      close: () => undefined,
    };
  }

  readonly source: FileSource = {
    read: (path, limit = Number.POSITIVE_INFINITY) => {
      if (path === '/proc/sys/kernel/random/uuid') this.files.set(path, `${this.#random()}-0000\n`);
      const text = path.endsWith('/options/func_stack_trace') ? this.stackOption : this.files.get(path);
      if (text === undefined) return { ok: false, failure: absent(path) };
      const bytes = encodeText(text);
      return { ok: true, bytes: bytes.subarray(0, limit), truncated: bytes.length > limit };
    },
    readMany: (paths, limit) => paths.map((path) => this.source.read(path, limit)),
    list: (path) => {
      const names = [...this.files.keys(), ...this.directories].flatMap((each) =>
        each.startsWith(`${path}/`) ? [each.slice(path.length + 1).split('/')[0] as string] : [],
      );
      if (names.length === 0 && !this.directories.has(path)) return { ok: false, failure: absent(path) };
      return { ok: true, names: [...new Set(names)] };
    },
  };

  readonly control: ControlSource = {
    apply: (steps) => {
      for (const step of steps) {
        this.changes.push(step);
        const failure = this.#change(step);
        if (failure !== undefined) return failure;
      }
      return undefined;
    },
    restore: (steps) => void this.restores.push({ steps, after: this.changes.length }),
  };

  /** Others each time, as the kernel's. */
  #random(): string {
    return ((0x5eed_0001 + this.#randoms++ * 0x0101_0101) >>> 0).toString(16).padStart(8, '0');
  }

  #fill(directory: string): void {
    for (const [name, text] of Object.entries(FIRST)) this.files.set(`${directory}/${name}`, text);
  }

  #change(step: ControlStep): FileFailure | undefined {
    const { path } = step;
    for (const [end, detail] of this.refusals) if (path.endsWith(end)) return { path, reason: 'io', detail };
    switch (step.kind) {
      case 'mkdir':
        if (!INSTANCE.test(path)) return { path, reason: 'denied', detail: 'not permitted' };
        if (this.directories.has(path)) return { path, reason: 'io', detail: 'EEXIST' };
        this.makeInstance(path.slice(path.lastIndexOf('/') + 1));
        return undefined;
      case 'rmdir':
        if (!INSTANCE.test(path) || !this.directories.delete(path)) return absent(path);
        for (const file of [...this.files.keys()]) if (file.startsWith(`${path}/`)) this.files.delete(file);
        return undefined;
      default:
        return this.#write(path, step.text, step.kind === 'append');
    }
  }

  #write(path: string, text: string, isMore: boolean): FileFailure | undefined {
    const directory = path.startsWith(`${ROOT}/instances/`) ? path.split('/').slice(0, 6).join('/') : ROOT;
    const name = path.slice(directory.length + 1);
    if (name === 'options/func_stack_trace' && this.directories.has(directory)) {
      this.stackOption = `${text}\n`;
      return undefined;
    }
    const before = this.files.get(path);
    if (before === undefined) return absent(path);
    const invalid: FileFailure = { path, reason: 'io', detail: 'EINVAL' };
    if (name === 'dynamic_events') {
      const code = isMore ? this.probes.write(text) : 'EBUSY';
      return code === 'ENOENT' ? absent(path) : code && { path, reason: 'io', detail: code };
    }
    const group = /^events\/(kdbg_\w+)\/enable$/.exec(name)?.[1];
    if (group !== undefined) this.probes.enableGroup(directory, group, text);
    const isList = /^set_/.test(name);
    if (name === 'set_ftrace_filter' && this.#functions(text).length === 0) return invalid;
    if (name === 'current_tracer') {
      if (!(this.files.get(`${ROOT}/available_tracers`) as string).split(/\s/).includes(text)) return invalid;
      this.files.set(`${directory}/trace`, this.trace);
    }
    if (name.endsWith('/filter') && !/^\w+ (==|&|<|>|~) (\w+|"[^"]*")$/.test(text)) return invalid;
    const added = name === 'set_ftrace_filter' ? this.#functions(text).join('\n') : text;
    const kept = isList && isMore && !before.startsWith('#') && before !== 'no pid\n' ? before : '';
    this.files.set(path, `${kept}${added}\n`);
    const event = /^events\/(\w+)\/(\w+)\/enable$/.exec(name);
    if (event !== null) {
      const own = `${event[1]}:${event[2]}\n`;
      const others = (this.files.get(`${directory}/set_event`) ?? '').replace(own, '');
      this.files.set(`${directory}/set_event`, text === '1' ? others + own : others);
    }
    return undefined;
  }

  /** Those that a pattern of set_ftrace_filter stands for. */
  #functions(pattern: string): readonly string[] {
    const test = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
    const all = (this.files.get(`${ROOT}/available_filter_functions`) as string).trim().split('\n');
    return all.map((line) => line.split(' ')[0] as string).filter((name) => test.test(name));
  }

  #open(path: string): FileStream | FileFailure {
    if (!path.endsWith('/trace_pipe')) return absent(path);
    const { flow, flowEnds } = this;
    return {
      take: () => encodeText(flow.shift() ?? ''),
      wait: () => true,
      get ended() {
        return flow.length === 0 && flowEnds ? 'no more' : undefined;
      },
      finish: () => new Uint8Array(),
      close: () => undefined,
    };
  }
}

/** What a step does, in one line: "append set_ftrace_filter vfs_read". */
export function stepText(step: ControlStep): string {
  const path = step.path.replace(/^.*\/instances\/kdbg-[0-9a-f]{8}\/?/, '') || '.';
  return `${step.kind} ${path}${'text' in step ? ` ${step.text}` : ''}`;
}

function absent(path: string): FileFailure {
  return { path, reason: 'absent', detail: 'no such file' };
}
