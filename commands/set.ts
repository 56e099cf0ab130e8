/**
 * The context and the variables of the shell.
 */
import { contextOf, contextRow, contextSummary, initialContext, taskOnCpu } from '../src/core/command/context.ts';
import { defineCommand, flag, type Kind, maybe, option, rest } from '../src/core/command/define.ts';
import { count, text } from '../src/core/command/kinds.ts';
import type { Context, Scope } from '../src/core/command/scope.ts';
import { SETTING_DOCS, type Settings } from '../src/core/command/settings.ts';
import { oneTask, taskArgument } from '../src/core/command/task-kinds.ts';
import { pipedTasks } from '../src/core/command/task-operands.ts';
import { UsageError } from '../src/core/errors.ts';
import { type Item, row } from '../src/core/output/item.ts';

/** As typed: which of the two it is depends on the settings that there are. */
const variableOrTask: Kind<string> = {
  name: 'task or variable',
  parse: (word) => word,
  complete(word, scope) {
    const tasks = taskArgument.complete?.(word, scope).candidates ?? [];
    const variables = Object.entries(SETTING_DOCS).map(([name, detail]) => ({ text: name, detail }));
    return { candidates: [...variables, ...tasks] };
  },
};

export default defineCommand({
  name: 'set',
  group: 'shell',
  summary: 'show or change the context task and the shell variables',
  description: [
    'The context is the task that bt, task, rd -u and others mean when no task is given. Without an argument it is shown. A PID, the address of a task_struct or a name that only one task has makes that task the context.',
    'With a variable and a value the variable is changed; "set -v" lists them all.',
  ],
  input: 'task',
  options: {
    v: flag('list the variables'),
    c: option(count, 'CPU', 'the task that was on this CPU when the target stopped'),
    p: flag('the task that the kernel died in, or that was the context at the start'),
  },
  operands: {
    name: maybe(variableOrTask, 'TASK|VARIABLE', 'a task or a variable'),
    value: rest(text, '[VALUE]', 'its new value'),
  },
  examples: [
    { line: 'set', shows: 'the context' },
    { line: 'set 1', shows: 'makes the task with PID 1 the context' },
    { line: 'set radix 10', shows: 'offsets in decimal' },
    { line: 'set -v', shows: 'the variables' },
  ],
  *run(scope, { v, c, p, name, value }) {
    if (v) {
      for (const each of Object.keys(scope.settings)) yield variable(each as keyof Settings, scope.settings);
    } else if (name !== undefined && Object.hasOwn(scope.settings, name)) {
      if (value !== '') scope.shell.setSetting(name, value);
      yield variable(name as keyof Settings, scope.settings);
    } else if (value !== '') {
      throw new UsageError(`"${name}" is no variable`, { hint: '"set -v" lists them' });
    } else if (scope.input !== undefined) {
      let shown = 0;
      for (const task of pipedTasks(scope, scope.input)) yield contextRow(scope, task, shown++);
    } else {
      const context = newContext(scope, { name, cpu: c, initial: p });
      if (context !== undefined) scope.shell.setContext(context);
      const shown = context === undefined ? scope : { ...scope, context };
      yield contextRow(scope, contextSummary(shown));
    }
  },
});

/** Undefined when none was asked for. */
function newContext(
  scope: Scope,
  wanted: { readonly name: string | undefined; readonly cpu: number | undefined; readonly initial: boolean },
): Context | undefined {
  const given = [wanted.name, wanted.cpu, wanted.initial || undefined].filter((each) => each !== undefined);
  if (given.length > 1) throw new UsageError('one task can be the context: give a TASK, -c or -p');
  if (wanted.initial) return initialContext(scope);
  if (wanted.cpu !== undefined) return contextOf(taskOnCpu(scope.kernel, wanted.cpu));
  return wanted.name === undefined ? undefined : contextOf(oneTask(wanted.name, scope.kernel));
}

function variable(name: keyof Settings, settings: Settings): Item {
  const value = settings[name];
  const shown = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
  return row({ name, value }, () => [`${name.padStart(12)}: ${shown.padEnd(8)} ${SETTING_DOCS[name]}`]);
}
