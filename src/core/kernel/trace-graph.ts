/**
 * The options that function_graph is run with: each call with its task and its time, since calls are joined by task.
 * They are the tracer's and so the same in all instances; what a kernel does not have is left out.
 */
import type { Tracefs } from './tracefs.ts';

const WANTED = ['funcgraph-proc', 'funcgraph-cpu', 'funcgraph-duration', 'funcgraph-abstime'] as const;
/** a1be9ccc57f0 "function_graph: Support recording and printing the return value of function" (v6.5), where built in. */
const RETURN_VALUES = 'funcgraph-retval';
/** Of what interrupts call within a function nothing is the function's. */
const INTERRUPTS = 'funcgraph-irqs';

/** As `trace start -o` takes them: `no` before those to turn off. */
export function graphOptions(fs: Tracefs, withInterrupts: boolean): readonly string[] {
  const names = [...WANTED, RETURN_VALUES, ...(withInterrupts ? [] : [INTERRUPTS])];
  const there = fs.texts(
    names.map((name) => `${fs.root}/options/${name}`),
    16,
  );
  return names.flatMap((name, i) => (there[i] === undefined ? [] : [name === INTERRUPTS ? `no${name}` : name]));
}
