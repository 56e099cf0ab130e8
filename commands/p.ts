import { defineCommand, flag, rest } from '../src/core/command/define.ts';
import { environmentOf } from '../src/core/command/environment.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { expression } from '../src/core/command/target-kinds.ts';
import { formatOptions, type RadixFlags, valueLines } from '../src/core/command/value-view.ts';
import { FaultError, UsageError } from '../src/core/errors.ts';
import { cpus } from '../src/core/kernel/cpu.ts';
import { isPerCpuSymbol, perCpuAddress } from '../src/core/kernel/percpu.ts';
import { formatAddress } from '../src/core/memory/address.ts';
import { Fault } from '../src/core/memory/fault.ts';
import { type Item, row } from '../src/core/output/item.ts';
import { span } from '../src/core/output/line.ts';
import type { KernelSymbol } from '../src/core/symbols/symbol-table.ts';
import { bareName, evaluateEach, parseFor } from '../src/core/types/evaluate.ts';
import { formatValue } from '../src/core/types/format-value.ts';
import { declare, typeName } from '../src/core/types/type-name.ts';
import type { Value } from '../src/core/types/value.ts';

export default defineCommand({
  name: 'p',
  group: 'types',
  summary: 'print the value of a C expression',
  description: [
    'The expression may use symbols, members, ->, [], casts, sizeof, offsetof(TYPE, MEMBER), container_of(POINTER, TYPE, MEMBER), & and *, arithmetic and comparison. Values are kept as $1, $2, ... and may be used in later expressions.',
    'A per-CPU variable alone shows its type and its address on every CPU; with CPUS behind a colon its values: p runqueues:0, p runqueues:all.',
    'A global whose type is not known (BTF types few of them) is taken as the struct of its own name where that fits the room it has, which a notice says, and else is its address: cast it, or declare its type once: whatis -D "struct list_head my_list;".',
  ],
  needs: ['types'],
  options: { x: flag('integers in hex'), d: flag('integers in decimal') },
  operands: { source: rest(expression, 'EXPRESSION', 'a C expression') },
  examples: [
    { line: 'p init_task.comm', shows: 'a member' },
    { line: 'p sizeof(struct task_struct)', shows: 'a size' },
    { line: 'p -x jiffies_64', shows: 'a variable, in hex' },
    { line: 'p runqueues:0', shows: "a CPU's copy of a per-CPU variable" },
  ],
  *run(scope, { source, x, d }) {
    if (source === '') throw new UsageError('p wants an expression');
    const environment = environmentOf(scope);
    const parsed = parseFor(source, environment);
    const name = bareName(parsed);
    const symbol = name === undefined ? undefined : scope.kernel.symbols.find(name);
    if (symbol !== undefined && isPerCpuSymbol(scope.kernel, symbol)) {
      yield perCpuVariable(scope, symbol);
      return;
    }
    for (const { cpu, value } of evaluateEach(parsed, environment)) {
      scope.check();
      const readable = value.readable();
      if (readable instanceof Fault && cpu === undefined) throw new FaultError(readable);
      yield result(scope, { x, d }, cpu === undefined ? source : `${source.replace(/:[^:]*$/, '')}:${cpu}`, value);
    }
  },
});

function result(scope: Scope, flags: RadixFlags, source: string, value: Value): Item {
  const number = scope.shell.keepValue(value);
  const data = {
    expression: source,
    type: typeName(value.type),
    value,
    ...(value.address === undefined ? {} : { address: value.address }),
  };
  return row(data, () => {
    const [first = [], ...others] = valueLines(formatValue(value, formatOptions(scope, flags)));
    const bare = /^[A-Za-z_]\w*(:\d+)?$/.test(source) ? `${source} = ` : '';
    return [[`${bare}$${number} = `, ...(typeof first === 'string' ? [first] : first)], ...others];
  });
}

/** A per-CPU variable without a CPU: its type, and where each CPU has it. */
function perCpuVariable(scope: Scope, { name, address, module }: KernelSymbol): Item {
  const { kernel } = scope;
  const type = kernel.kernelTypes.typeOfGlobal(name, module);
  const places = cpus(kernel, 'possible').map((cpu) => ({ cpu, address: perCpuAddress(kernel, address, cpu) }));
  const data = { expression: name, type: type === undefined ? null : typeName(type), addresses: places };
  return row(data, () => [
    'PER-CPU DATA TYPE:',
    `  ${type === undefined ? `(not known) ${name}` : declare(type, name)};`,
    'PER-CPU ADDRESSES:',
    ...places.map((place) => [
      `  [${place.cpu}]: `,
      span(formatAddress(place.address), { kind: 'address', address: place.address }, 'address'),
    ]),
  ]);
}
