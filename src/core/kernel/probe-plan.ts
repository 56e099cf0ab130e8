/**
 * A probe as lines of tracefs's dynamic_events (Documentation/trace/kprobetrace.rst, fprobetrace.rst,
 * uprobetracer.rst). What is fetched at the entry of a function and what at its return are one event where the kernel
 * keeps what the function was called with until then, else two, whose hits are joined by their task. The kernel keeps
 * registers, not what they point at: a path that is read from memory always has an event of its own at the entry, so
 * that it shows what was there when the function was called.
 */
import { UsageError } from '../errors.ts';
import { isRegister, isReturned, type ProbeArgument } from './probe-argument.ts';
import { namedRegisters } from './probe-parameters.ts';
import type { ProbeTarget } from './probe-target.ts';

/** What this kernel's probes can do, by the README of its tracefs. */
export interface ProbeFeatures {
  /** `$argN`: a1303af5d79e "tracing: probeevent: Add $argN for accessing function args" (v4.20). */
  readonly arguments: boolean;
  /** `$argN` at a return: 25f00e40ce79 "tracing/probes: Support $argN in return probe (kprobe and fprobe)" (v6.9). */
  readonly entryData: boolean;
  /** 334e5519c375 "tracing/probes: Add fprobe events for tracing function entry and exit." (v6.5). */
  readonly fprobe: boolean;
  /** e2d0d7b2f42d "tracing/probes: Add tracepoint support on fprobe_events" (v6.5). */
  readonly tracepoint: boolean;
  readonly uprobe: boolean;
}

export interface ProbeRequest {
  readonly target: ProbeTarget;
  readonly arguments: readonly ProbeArgument[];
  /** In the kernel's language: "count > 4096". */
  readonly filter: string | undefined;
  /** By ftrace instead of a breakpoint. */
  readonly fprobe: boolean;
  /** With the stack of each hit. */
  readonly stack: boolean;
}

/** A probe with its events. */
export interface Probe extends ProbeRequest {
  readonly name: string;
  /** One, or one at the entry and one at the return. */
  readonly events: readonly ProbeEvent[];
}

export interface ProbeEvent {
  /** Its name in the group of the session's probes. */
  readonly name: string;
  readonly isReturn: boolean;
  readonly arguments: readonly ProbeArgument[];
  readonly filter: string | undefined;
  /** The line of dynamic_events that makes it. */
  readonly definition: string;
}

/** MAX_EVENT_NAME_LEN of kernel/trace/trace_probe.h is 64. */
const NAME_MAX = 56;
/** Of one line: half of what the kernel takes (WRITE_BUFSIZE, 4096). */
const DEFINITION_MAX = 2048;
/** Calls of a function that may be on their way at once for its returns to be seen; the kernel's own choice is a few for each CPU. */
const RETURNS_MAX = 256;
/** Fields that every event has, and pseudo fields that filters know. */
const COMMON_FIELDS = /^(?:common_\w+|cpu|CPU|comm|COMM|CPUS)$/;

export function probeFeatures(readme: string): ProbeFeatures {
  return {
    arguments: readme.includes('$arg<N>'),
    entryData: /return probes support:.*\$arg<N>/.test(readme),
    fprobe: /^\s*(?:Format:\s*)?f\[/m.test(readme),
    tracepoint: /^\s*(?:Format:\s*)?t\[/m.test(readme),
    uprobe: readme.includes('place (uprobe)'),
  };
}

/** Throws UsageError for what this kernel cannot do. `taken` are names of probes that are there. */
export function planProbe(
  request: ProbeRequest,
  features: ProbeFeatures,
  group: string,
  taken: ReadonlySet<string>,
): Probe {
  const { target, filter } = request;
  const returned = request.arguments.filter(isReturned);
  const entering = request.arguments.filter((argument) => !isReturned(argument));
  checkTarget(request, features, returned.length > 0);
  const name = freeName(target.name, taken);
  const event = (
    suffix: string,
    isReturn: boolean,
    all: readonly ProbeArgument[],
    own: string | undefined,
  ): ProbeEvent => {
    checkFilter(own, all, request.arguments);
    const definition = definitionOf(request, features, `${group}/${name}${suffix}`, isReturn, all);
    return { name: `${name}${suffix}`, isReturn, arguments: all, filter: own, definition };
  };
  if (returned.length === 0) return { ...request, name, events: [event('', false, entering, filter)] };
  const isKept = target.kind === 'function' && features.entryData && entering.every(isRegister);
  if (entering.length === 0 || isKept)
    return { ...request, name, events: [event('', true, request.arguments, filter)] };
  const isOfReturn =
    filter !== undefined && fieldsOf(filter).some((field) => returned.some((each) => each.name === field));
  return {
    ...request,
    name,
    events: [
      event('', false, entering, isOfReturn ? undefined : filter),
      event('__return', true, returned, isOfReturn ? filter : undefined),
    ],
  };
}

function checkTarget({ target, fprobe }: ProbeRequest, features: ProbeFeatures, isReturn: boolean): void {
  const refuse = (message: string, hint: string): never => {
    throw new UsageError(message, { hint });
  };
  if (target.kind === 'tracepoint' && !features.tracepoint) {
    const hint = `"trace start events -e SYSTEM:${target.name}" shows the event's own fields`;
    refuse("this kernel's probes know no tracepoints: only since Linux 6.5", hint);
  }
  if (target.kind === 'program' && !features.uprobe) {
    refuse('this kernel has no probes of programs', 'it was built without CONFIG_UPROBE_EVENTS');
  }
  if (fprobe && (!features.fprobe || target.kind !== 'function' || !target.isEntry)) {
    refuse(
      `no fprobe can be set at ${target.place}`,
      'only at the entry of a function, since Linux 6.5; without --fprobe a kprobe is',
    );
  }
  if (isReturn && !target.isEntry)
    refuse('only a whole function returns', 'without an offset "ret" is what it gives back');
}

function definitionOf(
  { target, fprobe }: ProbeRequest,
  features: ProbeFeatures,
  path: string,
  isReturn: boolean,
  args: readonly ProbeArgument[],
): string {
  const isNamed = target.kind === 'program' || !features.arguments;
  const fetches = args.map(({ name, fetch, kernelType }) => {
    return `${name}=${isNamed ? namedRegisters(fetch) : fetch}:${kernelType}`;
  });
  const head =
    target.kind === 'tracepoint'
      ? `t:${path} ${target.place}`
      : fprobe
        ? `f:${path} ${target.place}${isReturn ? '%return' : ''}`
        : `${isReturn ? (target.kind === 'function' ? `r${RETURNS_MAX}` : 'r') : 'p'}:${path} ${target.place}`;
  const definition = [head, ...fetches].join(' ');
  if (definition.length <= DEFINITION_MAX) return definition;
  throw new UsageError(`the probe is ${definition.length} characters long, of ${DEFINITION_MAX} that can be`);
}

/** The fields that a filter compares. */
function fieldsOf(filter: string): readonly string[] {
  const bare = filter.replace(/"[^"]*"|'[^']*'/g, '""');
  return [...bare.matchAll(/([A-Za-z_]\w*)\s*(?:==|!=|<=?|>=?|&(?!&)|~)/g)].map((match) => match[1] as string);
}

/** The kernel refuses a wrong filter too; what it cannot say is which names there are, and that a shell took a `>`. */
function checkFilter(
  filter: string | undefined,
  fields: readonly ProbeArgument[],
  all: readonly ProbeArgument[],
): void {
  if (filter === undefined) return;
  const wrong = (message: string, hint: string): never => {
    throw new UsageError(message, { source: filter, column: 0, hint });
  };
  const compared = fieldsOf(filter);
  if (compared.length === 0) {
    wrong(`"${filter}" compares nothing`, "a filter is as 'count > 4096', in quotes: elsewhere > writes to a file");
  }
  for (const field of compared) {
    if (COMMON_FIELDS.test(field) || fields.some(({ name }) => name === field)) continue;
    if (all.some(({ name }) => name === field)) {
      wrong('the filter compares what is known at the entry with what is known at the return', 'it can do one of them');
    }
    wrong(`the probe has no argument "${field}"`, `it has ${all.map(({ name }) => name).join(', ') || 'none: add it'}`);
  }
}

/** Names of events are C identifiers: `foo.isra.0` is `foo_isra_0`. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const base = wanted
    .replace(/\W/g, '_')
    .replace(/^(?=\d)/, '_')
    .slice(0, NAME_MAX - 8);
  for (let i = 2, name = base; ; name = `${base}_${i++}`) if (!taken.has(name)) return name;
}
