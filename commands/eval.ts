import { defineCommand, flag, rest } from '../src/core/command/define.ts';
import { environmentOf } from '../src/core/command/environment.ts';
import { expression } from '../src/core/command/target-kinds.ts';
import { UsageError } from '../src/core/errors.ts';
import { row } from '../src/core/output/item.ts';
import { evaluateInteger } from '../src/core/types/evaluate.ts';
import { evaluateAddress } from '../src/core/types/evaluate-address.ts';
import { numberForms } from '../src/core/types/number-forms.ts';

export default defineCommand({
  name: 'eval',
  group: 'memory',
  summary: 'an integer expression in hex, decimal, octal and binary',
  description: [
    'Numbers are decimal unless they begin with 0x or hold hex letters; K, M and G multiply by 1024. Symbols stand for their addresses, alone and in sums.',
  ],
  options: { b: flag('list the bits that are set'), l: flag('64-bit arithmetic (always so here)') },
  operands: { source: rest(expression, 'EXPRESSION', 'an expression') },
  examples: [
    { line: 'eval 128m', shows: 'a size' },
    { line: 'eval -b 0x80000041', shows: 'the bits of a flag word' },
    { line: 'eval (1 << 12) - 1', shows: 'arithmetic' },
  ],
  *run(scope, { b, source }) {
    if (source === '') throw new UsageError('eval wants an expression');
    // A word of digits is decimal here, where an address would be hex.
    const evaluate = /^\d+[kKmMgG]?$/.test(source) ? evaluateInteger : evaluateAddress;
    const forms = numberForms(evaluate(source, environmentOf(scope)));
    const data = { value: forms.value, ...(b ? { bits: forms.bitsSet } : {}) };
    yield row(data, () => [
      `hexadecimal: ${forms.hexadecimal}${forms.size === undefined ? '' : `  (${forms.size})`}`,
      `    decimal: ${forms.decimal}${forms.negative === undefined ? '' : `  (${forms.negative})`}`,
      `      octal: ${forms.octal}`,
      `     binary: ${forms.binary}`,
      ...(b ? [`   bits set: ${forms.bitsSet.join(' ')}`] : []),
    ]);
  },
});
