import { expect, test } from 'vitest';
import { errnoName, returnedErrno } from '../../../src/core/kernel/errno.ts';

test.each([
  [1, 'EPERM'],
  [2, 'ENOENT'],
  [35, 'EDEADLK'],
  [38, 'ENOSYS'],
  [40, 'ELOOP'],
  [41, undefined],
  [42, 'ENOMSG'],
  [58, undefined],
  [95, 'EOPNOTSUPP'],
  [110, 'ETIMEDOUT'],
  [133, 'EHWPOISON'],
  [134, undefined],
  [512, 'ERESTARTSYS'],
  [520, undefined],
  [0, undefined],
  [-1, undefined],
])('error number %s is %s', (number, name) => expect(errnoName(number)).toBe(name));

test.each([
  [0n, undefined],
  [-2n, 'ENOENT'],
  [-4096n, undefined],
  [5n, undefined],
  [0xffff_ffff_ffff_fffen, 'ENOENT'],
  [0xffff_8880_1234_5678n, undefined],
] as const)('a function that returned %s reports %s', (value, name) => expect(returnedErrno(value)).toBe(name));
