/**
 * Lines of the trace buffer's text, one at a time. The columns before the text come in three forms: the default one, the
 * latency format, and the latency format with `verbose`; function_graph has columns of its own. All of them vary with
 * the options and the release: the forms here were tried on the text of Linux 5.10 to 7.2 with every option.
 */
import type { TraceFunction, TraceTask } from './trace-entry.ts';

/** What stands before an entry's text. */
export interface TraceContext {
  readonly comm?: string;
  readonly pid?: number;
  readonly tgid?: number;
  readonly cpu?: number;
  readonly flags?: string;
  readonly time?: bigint;
  readonly ticks?: true;
  readonly body: string;
}

export interface GraphLine {
  readonly kind: 'call' | 'leaf' | 'return' | 'note';
  readonly context: Omit<TraceContext, 'body'>;
  readonly depth: number;
  readonly function?: TraceFunction;
  readonly duration?: bigint;
  readonly args?: string;
  readonly returned?: string;
  /** The text of a note: a comment that is an event, an arrow into or out of an interrupt. */
  readonly text: string;
}

/** Longer lines are kept as text and not looked into. */
export const LINE_MAX = 16 * 1024;

const FLAGS = '[.dDbX][.nNpPlLbB][.hHszZ][.0-9a-f][.0-9a-f]?';
const DEFAULT = new RegExp(
  `^ *(?<comm>\\S.*?)-(?<pid>\\d+) +(?:\\( *(?<tgid>\\d+|-{7})\\) +)?\\[(?<cpu>\\d{3,})\\] (?:(?<flags>${FLAGS}) )? *(?:(?<seconds>\\d+)\\.(?<micro>\\d{6})|(?<ticks>\\d+)): (?<body>.*)$`,
);
const LATENCY = new RegExp(
  `^ *(?<comm>\\S.{0,7}?)-(?<pid>\\d+) +(?<cpu>\\d+)(?<flags>${FLAGS}) *(?<us>\\d+)us.: (?<body>.*)$`,
);
const VERBOSE =
  /^ *(?<comm>\S.*?) +(?<pid>\d+) +(?<cpu>\d+) \d+ [0-9a-f]{8} [0-9a-f]{8} \[(?<nano>[0-9a-f]+)\] (?<ms>\d+)\.(?<us>\d{3})ms \(\+\d+\.\d{3}ms\): (?<body>.*)$/;
/** With `raw`: the type's number, or the addresses of function and caller. */
const RAW = /^(?<pid>\d+) (?<cpu>\d+) (?<ns>\d+) (?<body>type: \d+|[0-9a-f]{8,16} [0-9a-f]{8,16})\s*$/;
const GRAPH = new RegExp(
  `^(?: *(?<seconds>\\d+)\\.(?<micro>\\d{6}) \\|)? *(?:(?<cpu>\\d+)\\))? *(?:(?<comm>\\S.{0,6}?)-(?<pid>\\d+) +\\| +)?(?:(?<flags>${FLAGS}) \\| *)? *(?:[$@*#!+]? *(?<duration>\\d+(?:\\.\\d+)?) us +)? *(?:\\|  )?(?<indent> *)(?<body>(?:[\\w.$]+(?: \\[\\w+\\])?\\(.*|\\}.*|/\\*.*|[=<]=+[=>].*))$`,
);
const SWITCH =
  /^ *(?:(?<seconds>\d+)\.(?<micro>\d{6}) \|)? *(?<cpu>\d+)\) +(?<from>\S.*?)-(?<fromPid>\d+) +=> +(?<to>\S.*?)-(?<toPid>\d+) *$/;
const FUNCTION =
  /^(?<name>[^\s(+<]+)(?:\+0x(?<offset>[0-9a-f]{1,8})\/0x[0-9a-f]{1,8})?(?: \[(?<module>[\w-]+)\])?(?: <(?<address>[0-9a-f]{1,16})>)?/;

type Groups = Readonly<Record<string, string | undefined>>;

/** An entry's columns in any form; undefined for another line. */
export function parseContext(line: string): TraceContext | undefined {
  const groups = (DEFAULT.exec(line) ?? LATENCY.exec(line) ?? VERBOSE.exec(line) ?? RAW.exec(line))?.groups;
  return groups === undefined ? undefined : { ...contextOf(groups), body: groups['body'] as string };
}

/** A line of function_graph; undefined for another. */
export function parseGraphLine(line: string): GraphLine | undefined {
  const groups = GRAPH.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const body = groups['body'] as string;
  const common = { context: contextOf(groups), depth: Math.floor((groups['indent'] as string).length / 2), text: body };
  const duration = groups['duration'] === undefined ? {} : { duration: microseconds(groups['duration']) };
  const note = /^\/\* (.*) \*\/$/.exec(body)?.[1];
  if (note !== undefined || /^[=<]=/.test(body)) return { ...common, kind: 'note', text: note ?? body };
  if (body.startsWith('}')) {
    const named = /^\} \/\* (?:([\w.$]+(?: \[[\w-]+\])?) ?)?(.*?) ?\*\/$/.exec(body);
    return { ...common, ...duration, kind: 'return', ...functionIn(named?.[1]), ...returnedIn(named?.[2]) };
  }
  const call = /^([\w.$]+(?: \[[\w-]+\])?)\((.*?)\)(?:;| \{)?(?: \/\* (.*) \*\/)?$/.exec(body);
  if (call === null) return { ...common, kind: 'note' };
  const args = call[2] === '' ? {} : { args: call[2] as string };
  const kind = body.includes(') {') && !body.includes(');') ? 'call' : 'leaf';
  return { ...common, ...duration, kind, ...functionIn(call[1]), ...args, ...returnedIn(call[3]) };
}

/** " 0)  dmesg-251  =>  cat-13": the CPU takes up another task. */
export function parseSwitch(
  line: string,
): { readonly context: Omit<TraceContext, 'body'>; readonly from: TraceTask; readonly to: TraceTask } | undefined {
  const groups = SWITCH.exec(line)?.groups;
  if (groups === undefined) return undefined;
  return {
    context: contextOf(groups),
    from: { comm: groups['from'] as string, pid: Number(groups['fromPid']) },
    to: { comm: groups['to'] as string, pid: Number(groups['toPid']) },
  };
}

/** `fn+0x12/0x30 [mod] <ffff...>` at the start of a text, and how long it is there. */
export function parseFunction(text: string): { readonly function: TraceFunction; readonly length: number } | undefined {
  const found = FUNCTION.exec(text);
  const groups = found?.groups;
  if (found === null || groups === undefined) return undefined;
  const { offset, module, address } = groups;
  return {
    function: {
      name: groups['name'] as string,
      ...(offset === undefined ? {} : { offset: Number.parseInt(offset, 16) }),
      ...(module === undefined ? {} : { module }),
      ...(address === undefined ? {} : { address: BigInt(`0x${address}`) }),
    },
    length: found[0].length,
  };
}

/** A line below "<stack trace>": ` => fn+0x12/0x30 [mod] <ffff...>`; undefined for another. */
export function parseStackLine(line: string): TraceFunction | undefined {
  const text = /^ => (.*?) *$/.exec(line)?.[1];
  if (text === undefined) return undefined;
  if (text.startsWith('[')) return { name: text };
  if (/^0x[0-9a-f]{1,16}$/.test(text)) return { name: text, address: BigInt(text) };
  return parseFunction(text)?.function ?? { name: text };
}

function contextOf(groups: Groups): Omit<TraceContext, 'body'> {
  const { comm, pid, tgid, cpu, flags } = groups;
  const time = timeOf(groups);
  return {
    ...(comm === undefined ? {} : { comm }),
    ...(pid === undefined ? {} : { pid: Number(pid) }),
    ...(tgid === undefined || tgid.startsWith('-') ? {} : { tgid: Number(tgid) }),
    ...(cpu === undefined ? {} : { cpu: Number(cpu) }),
    ...(flags === undefined ? {} : { flags }),
    ...(time === undefined ? {} : { time }),
    ...(groups['ticks'] === undefined ? {} : { ticks: true as const }),
  };
}

function timeOf({ seconds, micro, ticks, us, nano, ns }: Groups): bigint | undefined {
  if (nano !== undefined) return BigInt(`0x${nano}`);
  if (seconds !== undefined) return BigInt(seconds) * 1_000_000_000n + BigInt(micro ?? 0) * 1000n;
  if (us !== undefined) return BigInt(us) * 1000n;
  const count = ticks ?? ns;
  return count === undefined ? undefined : BigInt(count);
}

function functionIn(text: string | undefined): { readonly function?: TraceFunction } {
  const found = text === undefined ? undefined : parseFunction(text);
  return found === undefined ? {} : { function: found.function };
}

/** "= -22" to 6.12, "ret=-22" since. */
function returnedIn(text: string | undefined): { readonly returned?: string } {
  const found = text === undefined ? undefined : /(?:^|\s)(?:ret)?=\s?(\S+)$/.exec(text)?.[1];
  return found === undefined ? {} : { returned: found };
}

/** "79.841" in nanoseconds; the kernel prints fewer decimals where there are many digits before them. */
function microseconds(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * 1000n + BigInt(fraction.padEnd(3, '0').slice(0, 3));
}
