/**
 * The context and the variables of the shell.
 */

import { contextRow, findTaskArgument } from '../src/core/command/context.ts';
import { defineCommand, flag, maybe, rest } from '../src/core/command/define.ts';
import { text, word } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { SETTING_DOCS, type Settings } from '../src/core/command/settings.ts';
import { type Item, row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'set',
  group: 'shell',
  summary: 'show or change the context task and the shell variables',
  description: [
    'The context is the task that bt, task and others mean when no task is given. Without an argument it is shown; a PID or the address of a task_struct makes that task the context.',
    'With a variable and a value the variable is changed; "set -v" lists them all.',
  ],
  options: {
    v: flag('list the variables'),
    c: flag('the task that runs on the CPU given as the operand'),
    p: flag('the task that was the context at the start'),
  },
  operands: {
    name: maybe(word, 'TASK|VARIABLE', 'a task or a variable'),
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
      yield* variables(scope);
    } else if (name !== undefined && name in scope.settings && !c) {
      if (value !== '') scope.shell.setSetting(name, value);
      yield variable(name as keyof Settings, scope.settings);
    } else {
      if (name !== undefined || p) scope.shell.setContext(findTaskArgument(scope, { name, cpu: c, initial: p }));
      yield contextRow(scope);
    }
  },
});

function* variables(scope: Scope): Iterable<Item> {
  for (const name of Object.keys(scope.settings)) yield variable(name as keyof Settings, scope.settings);
}

function variable(name: keyof Settings, settings: Settings): Item {
  const value = settings[name];
  const shown = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
  return row({ name, value }, () => [`${name.padStart(12)}: ${shown.padEnd(8)} ${SETTING_DOCS[name]}`]);
}
