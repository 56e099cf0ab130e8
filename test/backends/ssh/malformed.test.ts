/** Files, patterns and answers that are damaged or strange. */
import { createServer } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { listAgentKeys, signWithAgent } from '../../../src/backends/ssh/agent.ts';
import { globFiles } from '../../../src/backends/ssh/glob.ts';
import { openKey, readKeyFile } from '../../../src/backends/ssh/key-file.ts';
import { serverLines, serverText } from '../../../src/backends/ssh/server-text.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';
import { type Folder, hasOpenssh, makeFolder } from './openssh.ts';

let folder: Folder;
beforeAll(() => {
  folder = makeFolder();
});
afterAll(() => folder.remove());

describe.skipIf(!hasOpenssh)('a damaged private key', () => {
  it.each([
    ['ed25519', ''],
    ['ed25519', 'secret'],
    ['rsa', ''],
    ['ecdsa', 'secret'],
  ])('%s with passphrase "%s" gives a key or a reason', (type, passphrase) => {
    const name = `${type}-${passphrase}`;
    folder.key(name, type, passphrase);
    const whole = new TextEncoder().encode(folder.read(name));
    const random = seededRandom(3);
    let reasons = 0;
    for (let i = 0; i < 1000; i++) {
      const path = folder.write('damaged', '');
      const bytes = Buffer.from(mutate(whole, random));
      folder.write('damaged', bytes.toString('latin1'));
      const file = readKeyFile(ssh2, path);
      if ('why' in file) {
        expect(file.why).not.toBe('');
        reasons++;
      }
    }
    expect(reasons).toBeGreaterThan(100);
    // A wrong passphrase costs a key derivation each: fewer of these.
    for (let i = 0; i < 5; i++) {
      const key = openKey(ssh2, Buffer.from(mutate(whole, random)), Buffer.from('another'));
      if (key instanceof Error) expect(key.message).not.toBe('');
    }
  });
});

test.skipIf(!hasOpenssh)('a key whose passphrase would take minutes is not opened', () => {
  const path = folder.key('slow', 'ed25519', 'secret');
  const [begin, ...rest] = folder.read('slow').split('\n');
  const content = Buffer.from(rest.slice(0, -2).join(''), 'base64');
  // After the magic: the cipher, "bcrypt", and 24 bytes of options, the last four of which are the rounds.
  const at = content.indexOf('bcrypt') + 6 + 4 + 20;
  expect(content.readUInt32BE(at)).toBeLessThan(100);
  content.writeUInt32BE(2_000_000_000, at);
  folder.write('slow', [begin, content.toString('base64'), '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'));
  expect(readKeyFile(ssh2, path)).toMatchObject({ why: expect.stringMatching(/2000000000 rounds of bcrypt/) });
});

test('files that are no keys say what they are', () => {
  expect(readKeyFile(ssh2, folder.path)).toMatchObject({ why: 'it is no regular file' });
  expect(readKeyFile(ssh2, folder.file('absent'))).toMatchObject({ isAbsent: true });
  expect(readKeyFile(ssh2, folder.write('large', 'x'.repeat(300_000)))).toMatchObject({
    why: 'it is too large for a key',
  });
  expect(readKeyFile(ssh2, folder.write('empty', ''))).toMatchObject({ why: expect.stringMatching(/cannot be read/) });
});

test('an agent whose answers are damaged is refused in bounded time', async () => {
  const part = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const key = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(Buffer.alloc(32))]);
  const identities = Buffer.concat([
    Buffer.from([12, 0, 0, 0, 2]),
    part(key),
    part(Buffer.from('a')),
    part(key),
    part(Buffer.from('b')),
  ]);
  const signature = Buffer.concat([
    Buffer.from([14]),
    part(Buffer.concat([part(Buffer.from('ssh-ed25519')), part(Buffer.alloc(64))])),
  ]);
  const random = seededRandom(9);
  let isDamaged = false;
  const agent = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (asked) => {
      const answer = part(asked[4] === 11 ? identities : signature);
      socket.end(isDamaged ? mutate(new Uint8Array(answer), random) : answer);
    });
  });
  const path = folder.file('agent');
  await new Promise<void>((resolve) => agent.listen(path, resolve));
  expect(await listAgentKeys(path)).toEqual([
    { key, comment: 'a' },
    { key, comment: 'b' },
  ]);
  expect(await signWithAgent(path, key, Buffer.from('data'), undefined)).toHaveLength(64);
  isDamaged = true;
  let failures = 0;
  for (let i = 0; i < 300; i++) {
    const asked = i % 2 === 0 ? listAgentKeys(path) : signWithAgent(path, key, Buffer.from('data'), 'sha256');
    await asked.catch((error: unknown) => {
      expect(error).toBeInstanceOf(Error);
      failures++;
    });
  }
  expect(failures).toBeGreaterThan(50);
  agent.close();
});

test.each<[string, readonly string[]]>([
  ['conf', ['conf']],
  ['absent', []],
  ['*.d', ['a.d', 'b.d']],
  ['?.d', ['a.d', 'b.d']],
  ['[!a].d', ['b.d']],
  ['[ab].d', ['a.d', 'b.d']],
  ['.*', ['.hidden']],
  ['*', ['a.d', 'b.d', 'conf']],
  ['c(o)nf+', []],
])('the pattern %s', (pattern, names) => {
  const globs = makeFolder();
  for (const name of ['b.d', 'a.d', 'conf', '.hidden']) globs.write(name, '');
  expect(globFiles(`${globs.path}/${pattern}`)).toEqual(names.map((name) => globs.file(name)));
  globs.remove();
});

test('text of a server is one harmless line of a bounded length', () => {
  expect(serverText('a\r\n\x1b]0;x\x07\u202eb\tc', 100)).toBe('a \\x1b]0;x\\x07\\u202eb c');
  expect(serverText('x'.repeat(1000), 10)).toBe(`${'x'.repeat(10)}...`);
  expect(serverText('', 10)).toBe('');
  expect(serverLines('a\n\n b \n', 100, 5)).toEqual(['a', 'b']);
  expect(serverLines('a\n'.repeat(50), 1000, 3)).toEqual(['a', 'a', 'a', '...']);
});
