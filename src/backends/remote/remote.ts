/**
 * A live kernel behind a link: the backend. All that must be known at once is asked for behind the reader's program; what
 * the first command will want (symbols, types) is sent for next and comes while the user types.
 */

import { BackendError, CancelledError, KdbgError } from '../../core/errors.ts';
import type { Kcore } from '../../core/formats/kcore.ts';
import { INSTANCES } from '../../core/kernel/tracefs.ts';
import type { Backend, Capability, ControlSource, FileResult, Regained } from '../../core/memory/backend.ts';
import { applyPatiently } from '../local/busy.ts';
import { capabilitiesOf, type Facts } from '../local/capabilities.ts';
import { refusedControl } from '../local/paths.ts';
import { BTF_FOLDER, factsOf, PROBED_FILES, PROBED_LENGTH } from '../local/probe.ts';
import { BuildCache } from './build-cache.ts';
import { BuildTables } from './build-tables.ts';
import { FIRST_HEADERS, KCORE, type KcoreHeaders, kcoreHeaders } from './kcore-headers.ts';
import type { Connected, Link } from './link.ts';
import type { ReaderFacts } from './reader.ts';
import { BOOT_FILE_LENGTH, BOOT_FILES, RemoteFiles } from './remote-files.ts';
import { RemoteMemory } from './remote-memory.ts';
import { remoteStreams } from './remote-streams.ts';
import { WireExchange } from './wire-exchange.ts';

/** What the first command will want, as a rule. */
const WANTED_SOON = ['/sys/kernel/btf/vmlinux', '/proc/kallsyms'];
/** What is asked of every connection at once: what tells what this user may see, what never changes, kcore's headers, what is listed first. */
const LOOK = [
  { op: 'files', paths: PROBED_FILES, limit: PROBED_LENGTH },
  { op: 'files', paths: BOOT_FILES, limit: BOOT_FILE_LENGTH },
  { op: 'files', paths: [KCORE], limit: FIRST_HEADERS },
  { op: 'list', path: BTF_FOLDER },
  { op: 'list', path: INSTANCES },
] as const;
/** Pauses between attempts to connect again, in milliseconds. */
const BACK_OFF = [0, 1000, 2000];

export interface RemoteTargetOptions {
  readonly link: Link;
  /** "ssh:web7". */
  readonly name: string;
  /** Where things constant of a kernel are kept; undefined for nowhere. */
  readonly cacheRoot: string | undefined;
  /** How the user becomes root here: "log in as root, or add --sudo". */
  readonly becomeRoot: string;
}

export interface RemoteTarget {
  readonly backend: Backend;
  readonly facts: ReaderFacts;
  /** What the user should see before anything else. */
  readonly notices: readonly string[];
}

/** What is known of one connection. */
interface Connection {
  readonly facts: ReaderFacts;
  readonly headers: KcoreHeaders;
  readonly probed: Facts;
}

/** Connects. Throws OpenError, UsageError, BackendError, CancelledError. */
export function openRemote(options: RemoteTargetOptions): RemoteTarget {
  const notices: string[] = [];
  const target = new Target(options, (notice) => notices.push(notice));
  return { backend: target.backend(), facts: target.facts, notices };
}

class Target {
  readonly #options: RemoteTargetOptions;
  readonly #wire: WireExchange;
  readonly #files: RemoteFiles;
  readonly #tables: BuildTables;
  readonly #memory: RemoteMemory | undefined;
  #connection: Connection;
  /** What the target's side was last told to restore: told again after a reconnection. */
  #restore: Parameters<ControlSource['restore']>[0] = [];

  constructor(options: RemoteTargetOptions, tell: (notice: string) => void) {
    this.#options = options;
    this.#wire = new WireExchange(options.link);
    const connected = options.link.connect(tell, LOOK);
    const cache = this.#cacheOf(connected.facts);
    this.#files = new RemoteFiles(this.#wire, cache);
    this.#tables = new BuildTables(cache);
    this.#connection = this.#look(connected);
    const { kcore } = this.#connection.headers;
    this.#memory = kcore && new RemoteMemory(this.#wire, kcore, this.#tables);
  }

  get facts(): ReaderFacts {
    return this.#connection.facts;
  }

  backend(): Backend {
    const { link, name } = this.#options;
    const wire = this.#wire;
    return {
      name,
      liveness: 'live',
      ...(this.#memory && { memory: this.#memory }),
      files: this.#files,
      programs: { read: (path, ranges) => wire.one({ op: 'program', path, ranges }) },
      control: this.#control(),
      streams: remoteStreams(link),
      get counters() {
        return wire.counters;
      },
      vmcoreinfo: () => vmcoreinfoText(this.#connection.headers.kcore),
      regain: () => this.#regain(),
      capabilities: () => this.#capabilities(),
      close: () => link.close(),
    };
  }

  /** Takes what was asked first, and sends for what is wanted soon. */
  #look({ facts, sent }: Connected<typeof LOOK>): Connection {
    const wire = this.#wire;
    this.#files.prefetch(WANTED_SOON);
    const [probes, boot, kcore, btf, instances] = wire.collectAll<typeof LOOK>(sent);
    const headers = kcoreHeaders(plain(kcore[0]), (length) => {
      return plain(wire.one({ op: 'files', paths: [KCORE], limit: length })[0]);
    });
    const files = PROBED_FILES.map((_, i) => plain(probes[i]));
    const probed = factsOf({ files, btf }, headers.attempt, facts.uid);
    for (const [i, path] of BOOT_FILES.entries()) this.#files.learn(path, plain(boot[i]));
    for (const [path, list] of [
      [BTF_FOLDER, btf],
      [INSTANCES, instances],
    ] as const)
      this.#files.learnList(path, list);
    return { facts, headers, probed: { ...probed, becomeRoot: this.#options.becomeRoot } };
  }

  #regain(): Regained | undefined {
    const { link } = this.#options;
    if (link.lost === undefined) return undefined;
    const before = this.#connection.facts;
    this.#memory?.forget();
    const connected = this.#reconnect();
    const { facts } = connected;
    const rebooted = facts.bootId !== before.bootId;
    this.#files.renew(this.#cacheOf(facts));
    if (rebooted) this.#tables.renew(this.#cacheOf(facts));
    this.#connection = this.#look(connected);
    // Only a session that begins lists them at once.
    this.#files.forgetLists();
    const { kcore } = this.#connection.headers;
    if (kcore !== undefined) this.#memory?.renew(kcore);
    if (!rebooted && this.#restore.length > 0) this.#wire.one({ op: 'restore', steps: this.#restore });
    return rebooted ? 'rebooted' : 'same boot';
  }

  #reconnect(): Connected<typeof LOOK> {
    const { link } = this.#options;
    let last: KdbgError | undefined;
    for (const pause of BACK_OFF) {
      try {
        if (pause > 0) link.rest(pause);
        return link.connect(() => undefined, LOOK);
      } catch (error) {
        if (!(error instanceof KdbgError) || error instanceof CancelledError) throw error;
        last = error;
      }
    }
    throw new BackendError(`${link.name} cannot be reached: ${last?.message}`, 'Enter tries again');
  }

  /** After a reboot the kernel may be another build. */
  #cacheOf({ buildId }: ReaderFacts): BuildCache | undefined {
    const { cacheRoot } = this.#options;
    return cacheRoot === undefined ? undefined : BuildCache.of(cacheRoot, buildId);
  }

  #control(): ControlSource {
    return {
      apply: (steps) => {
        const refused = steps.map(({ path }) => refusedControl(path)).find((failure) => failure !== undefined);
        this.#files.forgetLists();
        return refused ?? applyPatiently(steps, (rest) => this.#wire.one({ op: 'control', steps: rest }));
      },
      restore: (steps) => {
        this.#restore = steps.filter(({ path }) => refusedControl(path) === undefined);
        this.#wire.one({ op: 'restore', steps: this.#restore });
      },
    };
  }

  #capabilities(): readonly Capability[] {
    const { facts, probed } = this.#connection;
    const { link, becomeRoot } = this.#options;
    const reader: Capability = {
      name: 'reader',
      available: true,
      detail: `${facts.kind}${facts.compresses ? '' : ' (does not compress)'}, as ${facts.uid === 0 ? 'root' : `user ${facts.uid}`}`,
      ...(facts.uid === 0 ? {} : { help: `root would add what is missing: ${becomeRoot}` }),
    };
    return [...capabilitiesOf(probed), reader, linkCapability(link)];
  }
}

const NO_ANSWER = { path: '', reason: 'io', detail: 'no answer' } as const;

/** Whoever offers no hash gets no 'same'. */
function plain(result: FileResult | 'same' | undefined): FileResult {
  return result === undefined || result === 'same' ? { ok: false, failure: NO_ANSWER } : result;
}

function linkCapability(link: Link): Capability {
  if (link.lost !== undefined) {
    return { name: 'link', available: false, detail: link.lost, help: 'the next command connects again' };
  }
  const { received, sent, latency } = link.wire;
  const figures =
    latency &&
    `; a request takes ${round(latency.median)} ms (last ${round(latency.last)}, best ${round(latency.min)})`;
  const detail = `${link.name}, ${kib(received)} received, ${kib(sent)} sent${figures ?? ''}`;
  return { name: 'link', available: true, detail };
}

function round(milliseconds: number): string {
  return milliseconds < 10 ? milliseconds.toFixed(1) : String(Math.round(milliseconds));
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}

function vmcoreinfoText(kcore: Kcore | undefined): string | undefined {
  const info = kcore?.vmcoreinfo;
  return info?.keys.map((key) => `${key}=${info.get(key)}`).join('\n');
}
