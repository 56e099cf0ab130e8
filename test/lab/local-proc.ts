/**
 * What the kernel says of its threads in /proc, and kdbg's answers, as they come out of one shell command in the guest: read
 * together, so that little moves between them.
 */

/** A thread as /proc/PID/task/TID/stat has it. */
export interface ProcThread {
  readonly pid: number;
  readonly comm: string;
  readonly state: string;
  /** The process that its parent belongs to. */
  readonly ppid: number;
}

/** One line of kdbg --json. */
export interface Answer {
  readonly command: string;
  readonly status: number;
  readonly rows: readonly unknown[];
  readonly notices: readonly string[];
  readonly error?: string;
}

const section = (name: string, command: string): string => `echo '<${name}>'; ${command}; echo '</${name}>'`;

/** Shell commands that print all threads and all their stacks. */
export const printThreads = section('threads', 'cat /proc/[0-9]*/task/[0-9]*/stat 2>/dev/null');
export const printStacks = section(
  'stacks',
  'for t in /proc/[0-9]*/task/*; do echo "= $t/stack"; cat $t/stack $t/status; done 2>/dev/null',
);

const sectionsOf = (output: string, name: string): readonly string[] =>
  [...output.matchAll(new RegExp(`^<${name}>\n([\\s\\S]*?)^</${name}>$`, 'gm'))].map((match) => match[1] as string);

/** Each printed reading of the threads. A comm may hold anything, newlines and parentheses too: many numbers end it. */
export const threadsIn = (output: string): readonly (readonly ProcThread[])[] =>
  sectionsOf(output, 'threads').map((text) =>
    [...text.matchAll(/^(\d+) \(([\s\S]*?)\) ([A-Za-z]) (-?\d+)(?: -?\d+){40,}$/gm)].map(
      ([, pid = '', comm = '', state = '', ppid = '']) => ({ pid: Number(pid), comm, state, ppid: Number(ppid) }),
    ),
  );

/** A stack as "symbol+0xoffset symbol+0xoffset ...", and how often its thread had been switched away from then. */
export interface ProcStack {
  readonly frames: string;
  readonly switches: string;
}

/** Each printed reading of the stacks, by PID. */
export const stacksIn = (output: string): readonly ReadonlyMap<number, ProcStack>[] =>
  sectionsOf(output, 'stacks').map(
    (text) =>
      new Map(
        text
          .split(/^= /m)
          .slice(1)
          .map((part) => {
            const frames = [...part.matchAll(/\] ([\w.]+\+0x[0-9a-f]+)\//g)].map((match) => match[1]);
            const switches = [...part.matchAll(/voluntary_ctxt_switches:\t(\d+)/g)].map((match) => match[1]);
            const pid = Number(/task\/(\d+)\/stack/.exec(part)?.[1]);
            return [pid, { frames: frames.join(' '), switches: switches.join(' ') }];
          }),
      ),
  );

/** kdbg's answers in order. */
export const answersIn = (output: string): readonly Answer[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{"command":'))
    .map((line) => JSON.parse(line) as Answer);
