import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { hostWithPort, parseDestination } from '../../../src/backends/ssh/destination.ts';
import { NO_SSH_OPTIONS, opensshArguments, parseSetting } from '../../../src/backends/ssh/options.ts';
import { UsageError } from '../../../src/core/errors.ts';

test.each<[string, string | undefined, string, number | undefined]>([
  ['web7', undefined, 'web7', undefined],
  ['mo@web7', 'mo', 'web7', undefined],
  ['mo@web7:2222', 'mo', 'web7', 2222],
  ['mo@example.org@web7', 'mo@example.org', 'web7', undefined],
  ['CORP\\mo@web7', 'CORP\\mo', 'web7', undefined],
  ['[2001:db8::1]', undefined, '2001:db8::1', undefined],
  ['mo@[2001:db8::1]:2222', 'mo', '2001:db8::1', 2222],
  ['2001:db8::1', undefined, '2001:db8::1', undefined],
  ['fe80::1%eth0', undefined, 'fe80::1%eth0', undefined],
  ['[web7]:22', undefined, 'web7', 22],
  ['ssh://web7', undefined, 'web7', undefined],
  ['ssh://mo@web7:2222/', 'mo', 'web7', 2222],
  ['SSH://mo%40x@[::1]:65535', 'mo@x', '::1', 65535],
  ['käse', undefined, 'käse', undefined],
])('%s', (text, user, host, port) => {
  expect(parseDestination(text)).toEqual({ user, host, port });
});

test.each([
  '',
  '@web7',
  'mo@',
  'web7:',
  'web7:0',
  'web7:65536',
  'web7:22x',
  '-oProxyCommand=id',
  'mo@-oProxyCommand=id',
  '-l@web7',
  'web7;id',
  'web7 id',
  '$(id)',
  '`id`@web7',
  'mo -x@web7',
  'mo\\@web7',
  'web\n7',
  '[web7',
  '[web7]x',
  'ssh://',
  'x'.repeat(400),
])('%j is refused', (text) => {
  expect(() => parseDestination(text)).toThrow(UsageError);
});

describe('the arguments of ssh', () => {
  it('put the destination where it can be no option', () => {
    const options = { ...NO_SSH_OPTIONS, identityFiles: ['a', 'b'], jump: 'gate', configFile: 'c', settings: ['X=y'] };
    expect(opensshArguments({ user: 'mo', host: 'web7', port: 2222 }, options)).toEqual(
      '-F c -i a -i b -J gate -l mo -p 2222 -o X=y -- web7'.split(' '),
    );
    expect(
      opensshArguments({ user: 'mo', host: 'web7', port: 1 }, { ...NO_SSH_OPTIONS, user: 'root', port: 2 }),
    ).toEqual('-l root -p 2 -- web7'.split(' '));
  });

  it('never hold a word of the destination that begins with a dash', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'-a@:[]/ \\%1;') }), (text) => {
        try {
          const { user, host } = parseDestination(text);
          expect(host.startsWith('-')).toBe(false);
          expect(user?.startsWith('-') ?? false).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});

test('settings of -o', () => {
  expect(parseSetting('StrictHostKeyChecking=accept-new')).toEqual(['stricthostkeychecking', 'accept-new']);
  expect(parseSetting('User  mo')).toEqual(['user', 'mo']);
  expect(() => parseSetting('nothing')).toThrow(UsageError);
  expect(() => parseSetting('=x')).toThrow(UsageError);
});

test('hosts with ports as known_hosts has them', () => {
  expect(hostWithPort('web7', 22)).toBe('web7');
  expect(hostWithPort('::1', 2222)).toBe('[::1]:2222');
});
