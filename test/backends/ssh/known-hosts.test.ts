import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import {
  fingerprint,
  hashHost,
  judgeHostKey,
  keyTypeName,
  keyTypeOf,
  knownKeyTypes,
  matchesHosts,
  matchesPattern,
  parseKnownHosts,
} from '../../../src/backends/ssh/known-hosts.ts';
import { addKnownHost, readKnownHosts } from '../../../src/backends/ssh/known-hosts-files.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';
import { type Folder, hasOpenssh, makeFolder } from './openssh.ts';

/** A key of a type, as it goes over the wire; the numbers do not matter here. */
function wire(type: string, seed = 0): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, seed)]);
}

const ED = wire('ssh-ed25519', 1);
const ED2 = wire('ssh-ed25519', 2);
const RSA = wire('ssh-rsa', 3);
const ECDSA = wire('ecdsa-sha2-nistp256', 4);

const line = (hosts: string, key: Buffer, marker = ''): string =>
  `${marker === '' ? '' : `@${marker} `}${hosts} ${keyTypeOf(key)} ${key.toString('base64')} a comment`;

const judge = (text: string, names: readonly string[], key: Buffer) =>
  judgeHostKey(parseKnownHosts(text, 'kh'), names, key);

test.each<[string, string, boolean]>([
  ['web7', 'web7', true],
  ['WEB7', 'web7', true],
  ['web7', 'web77', false],
  ['web?', 'web7', true],
  ['web?', 'web', false],
  ['*.example.org', 'web7.example.org', true],
  ['*.example.org', 'example.org', false],
  ['*', '', true],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXbYbZ', false],
  ['[*]:2222', '[web7]:2222', true],
  ['web7.example.org', 'web7Xexample.org', false],
])('the pattern %s and %s: %s', (pattern, text, matches) => {
  expect(matchesPattern(pattern, text)).toBe(matches);
});

it('matches patterns as a regular expression does, in bounded time', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
      expect(matchesPattern(pattern, text)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
  const before = performance.now();
  expect(matchesPattern('*a'.repeat(100), 'a'.repeat(5000))).toBe(true);
  expect(matchesPattern(`${'*a'.repeat(100)}b`, 'a'.repeat(5000))).toBe(false);
  expect(performance.now() - before).toBeLessThan(1000);
});

test.each<[string, string, boolean]>([
  ['web7,db*', 'db1', true],
  ['*.example.org,!bad.example.org', 'bad.example.org', false],
  ['!bad.example.org,*.example.org', 'bad.example.org', false],
  ['*.example.org,!bad.example.org', 'good.example.org', true],
  ['!bad', 'good', false],
  [hashHost('web7'), 'web7', true],
  [hashHost('web7'), 'web8', false],
  [hashHost('[web7]:2222'), '[web7]:2222', true],
  ['|1|AAAA', 'web7', false],
  ['|2|AAAA|AAAA', 'web7', false],
  ['|1||', '', false],
])('the hosts %s and %s: %s', (hosts, name, matches) => {
  expect(matchesHosts(hosts, name)).toBe(matches);
});

describe('judging a key', () => {
  it('knows the key of a host, whatever other keys it has', () => {
    const text = [line('web7', RSA), line('web7', ED)].join('\n');
    expect(judge(text, ['web7'], ED)).toEqual({ kind: 'known', place: 'kh:2' });
    expect(judge(text, ['web7'], RSA)).toEqual({ kind: 'known', place: 'kh:1' });
  });

  it('takes several keys of one type: a host of many addresses, or one that gets a new key', () => {
    expect(judge([line('web7', ED2), line('web7', ED)].join('\n'), ['web7'], ED)).toMatchObject({ kind: 'known' });
  });

  it('finds a changed key, and names where the old one stands', () => {
    expect(judge(['# old', line('web7', ED2)].join('\n'), ['web7'], ED)).toEqual({ kind: 'changed', place: 'kh:2' });
  });

  it('does not call another type a change, but names it', () => {
    expect(judge(line('web7', RSA), ['web7'], ED)).toMatchObject({
      kind: 'unknown',
      others: [{ keyType: 'ssh-rsa', place: 'kh:1' }],
    });
  });

  it('takes a key that is known without the port, but no change of one', () => {
    const names = ['[web7]:2222', 'web7'];
    expect(judge(line('web7', ED), names, ED)).toEqual({ kind: 'known', place: 'kh:1' });
    expect(judge(line('web7', ED2), names, ED)).toMatchObject({ kind: 'unknown', others: [] });
    expect(judge(line('[web7]:2222', ED2), names, ED)).toMatchObject({ kind: 'changed' });
  });

  it('refuses a revoked key wherever it stands, and only where its hosts match', () => {
    const known = line('web7', ED);
    expect(judge([known, line('*', ED, 'revoked')].join('\n'), ['web7'], ED)).toEqual({
      kind: 'revoked',
      place: 'kh:2',
    });
    expect(judge([known, line('db*', ED, 'revoked')].join('\n'), ['web7'], ED)).toMatchObject({ kind: 'known' });
    expect(judge([known, line('*', ED2, 'revoked')].join('\n'), ['web7'], ED)).toMatchObject({ kind: 'known' });
  });

  it('takes an authority for no key of the host', () => {
    const text = line('*.example.org', ED, 'cert-authority');
    expect(judge(text, ['web7.example.org'], ED)).toMatchObject({ kind: 'unknown', others: [], authorities: [{}] });
    expect(judge(text, ['web7.example.org'], ED2)).toMatchObject({ kind: 'unknown', authorities: [{ place: 'kh:1' }] });
    expect(knownKeyTypes(parseKnownHosts(text, 'kh'), ['web7.example.org'])).toEqual([]);
  });

  it('tells the types that are known, for the name with the port first', () => {
    const lines = parseKnownHosts([line('web7', RSA), line('[web7]:2222', ED), line('web7', ECDSA)].join('\n'), 'kh');
    expect(knownKeyTypes(lines, ['[web7]:2222', 'web7'])).toEqual(['ssh-ed25519']);
    expect(knownKeyTypes(lines, ['web7'])).toEqual(['ssh-rsa', 'ecdsa-sha2-nistp256']);
    expect(knownKeyTypes(lines, ['db1'])).toEqual([]);
  });
});

describe('reading lines', () => {
  it('passes over what is no key', () => {
    const text = [
      '',
      '# web7 ssh-ed25519 AAAA',
      'web7',
      'web7 ssh-ed25519',
      'web7 ssh-ed25519 AAAA',
      'web7 1024 35 1234567890',
      `web7 ssh-rsa ${ED.toString('base64')}`,
      `@unknown web7 ssh-ed25519 ${ED.toString('base64')}`,
      `${'x'.repeat(70_000)} ssh-ed25519 ${ED.toString('base64')}`,
      `\t web7\tssh-ed25519 \t${ED.toString('base64')}\r`,
    ].join('\n');
    expect(parseKnownHosts(text, 'kh').map(({ place }) => place)).toEqual(['kh:10']);
  });

  it('stays bounded on damaged files', () => {
    const text = Array.from({ length: 20 }, (_, i) => line(i % 2 === 0 ? hashHost(`h${i}`) : `h${i},!x*`, ED)).join(
      '\n',
    );
    const random = seededRandom(7);
    const before = performance.now();
    for (let i = 0; i < 2000; i++) {
      const damaged = Buffer.from(mutate(new TextEncoder().encode(text), random)).toString('latin1');
      judge(damaged, ['[h1]:22', 'h1'], ED);
    }
    expect(performance.now() - before).toBeLessThan(20_000);
  });
});

test.each([
  ['ssh-ed25519', 'ED25519'],
  ['ssh-rsa', 'RSA'],
  ['ssh-dss', 'DSA'],
  ['ecdsa-sha2-nistp256', 'ECDSA'],
  ['sk-ssh-ed25519@openssh.com', 'ED25519-SK'],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 'ECDSA-SK'],
  ['ssh-ed25519-cert-v01@openssh.com', 'ED25519 certificate'],
  ['new-type', 'new-type'],
])('%s is shown as %s', (type, name) => expect(keyTypeName(type)).toBe(name));

describe.skipIf(!hasOpenssh)('with the files of ssh-keygen', () => {
  let folder: Folder;
  beforeAll(() => {
    folder = makeFolder();
    folder.key('ed');
    folder.key('other');
  });
  afterAll(() => folder.remove());

  const keyOf = (name: string): Buffer => Buffer.from(folder.publicKey(name).split(' ')[1] as string, 'base64');

  it('reads hashed names', () => {
    const path = folder.write('hashed', `web7 ${folder.publicKey('ed')}\n[web7]:2222 ${folder.publicKey('other')}\n`);
    execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' });
    expect(folder.read('hashed')).not.toContain('web7');
    const lines = readKnownHosts([folder.file('absent'), path]);
    expect(judgeHostKey(lines, ['web7'], keyOf('ed'))).toEqual({ kind: 'known', place: `${path}:1` });
    expect(judgeHostKey(lines, ['[web7]:2222', 'web7'], keyOf('ed'))).toEqual({ kind: 'known', place: `${path}:1` });
    expect(judgeHostKey(lines, ['web7'], keyOf('other'))).toEqual({ kind: 'changed', place: `${path}:1` });
    expect(judgeHostKey(lines, ['db1'], keyOf('ed'))).toMatchObject({ kind: 'unknown' });
  });

  it('writes lines that ssh-keygen finds, hashed or not, after a line that has no end', () => {
    for (const isHashed of [false, true]) {
      const path = folder.write(`add-${isHashed}`, '# no end of line');
      addKnownHost(path, '[Web7]:2222', keyOf('ed'), isHashed);
      addKnownHost(path, 'db1', keyOf('other'), isHashed);
      const found = execFileSync('ssh-keygen', ['-F', '[web7]:2222', '-f', path]).toString();
      expect(found).toMatch(/line 2/);
      expect(found).toContain(folder.publicKey('ed'));
      expect(folder.read(`add-${isHashed}`).includes('db1')).toBe(!isHashed);
    }
  });

  it('makes the file and its folder for the user alone', () => {
    const path = folder.file('new/known_hosts');
    addKnownHost(path, 'web7', keyOf('ed'), false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder.file('new')).mode & 0o777).toBe(0o700);
  });

  it('has the fingerprints of ssh-keygen', () => {
    const told = execFileSync('ssh-keygen', ['-l', '-f', `${folder.file('ed')}.pub`]).toString();
    expect(told).toContain(fingerprint(keyOf('ed')));
    expect(fingerprint(randomBytes(40))).toMatch(/^SHA256:[\w+/]{43}$/);
  });
});
