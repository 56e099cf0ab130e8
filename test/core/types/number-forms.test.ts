import { expect, test } from 'vitest';
import { numberForms } from '../../../src/core/types/number-forms.ts';

test.each([
  [134_217_728n, '8000000', '128MB', '134217728', undefined, '1000000000', [27]],
  [0n, '0', undefined, '0', undefined, '0', []],
  [1023n, '3ff', undefined, '1023', undefined, '1777', [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
  [1536n, '600', undefined, '1536', undefined, '3000', [10, 9]],
  [2048n, '800', '2KB', '2048', undefined, '4000', [11]],
  [5n << 30n, '140000000', '5GB', '5368709120', undefined, '50000000000', [32, 30]],
])('%d', (value, hexadecimal, size, decimal, negative, octal, bitsSet) => {
  expect(numberForms(value)).toEqual({
    value,
    hexadecimal,
    size,
    decimal,
    negative,
    octal,
    binary: value.toString(2).padStart(64, '0'),
    bitsSet,
  });
});

test('a negative number is its 64 bits', () => {
  const forms = numberForms(-1n);
  expect(forms).toMatchObject({ hexadecimal: 'f'.repeat(16), decimal: '18446744073709551615', negative: '-1' });
  expect(forms.octal).toBe('1777777777777777777777');
  expect(forms.bitsSet).toHaveLength(64);
  expect(numberForms(0xffff_8880_0000_0000n).negative).toBe('-131391639519232');
  expect(numberForms(1n << 64n).value).toBe(0n);
});
