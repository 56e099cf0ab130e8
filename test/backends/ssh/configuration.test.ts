/** The configuration by OpenSSH and by the files themselves: both must mean the same. */
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { readConfiguration } from '../../../src/backends/ssh/configuration.ts';
import { readConfigurationFiles } from '../../../src/backends/ssh/configuration-files.ts';
import { parseDestination } from '../../../src/backends/ssh/destination.ts';
import { NO_SSH_OPTIONS, type SshOptions } from '../../../src/backends/ssh/options.ts';
import { proxyCommandLine } from '../../../src/backends/ssh/proxy-command.ts';
import { type SettingLine, type SshSettings, settingsOf } from '../../../src/backends/ssh/settings.ts';
import { account } from '../../../src/backends/ssh/tokens.ts';
import { OpenError, UsageError } from '../../../src/core/errors.ts';
import { type Folder, hasOpenssh, makeFolder } from './openssh.ts';

const { signal } = new AbortController();
const ME = account().username;
const HOME = account().homedir;

let folder: Folder;
let options: SshOptions;

beforeAll(() => {
  folder = makeFolder();
  folder.write('more-2', 'Host late\n  User from-more-2\n');
  folder.write('more-1', 'Host late\n  User from-more-1\nHost web*\n  ServerAliveCountMax 7\n');
  folder.write('deep', 'User deep\nIdentityFile /keys/deep\n');
  const config = folder.write(
    'config',
    `# A comment, and keywords in any case.
IdentityFile /keys/always
Include ${folder.path}/more-*
Host web7 web8 !web9
  HostName 10.0.0.7
  User root
  port=2222
  IdentityFile ~/.ssh/web_%h_%r
  IdentityFile "/keys/with a space"
  IdentitiesOnly yes
  ServerAliveInterval 30
  ConnectTimeout 5

Host web9
  HostName %h.example.org
  ProxyJump gate,mo@[2001:db8::1]:2200
  StrictHostKeyChecking accept-new
  UserKnownHostsFile ~/.ssh/own_%n /dev/null
  HashKnownHosts yes

Host proxied
  ProxyCommand nc -X connect -x proxy=x:3128 "%h" %p
  HostKeyAlias the-real-one
  AddressFamily inet6
  PreferredAuthentications password,publickey
  PasswordAuthentication no
  KbdInteractiveAuthentication no

Host nested*
  Include ${folder.path}/deep
  ProxyJump none

Match originalhost nested2 user deep
  Port 99
Match host 10.0.0.7 !user root
  Port 1
Match host 10.0.0.7 user root,admin
  BatchMode yes
Match localuser nobody-at-all
  Port 2
Match all
  NumberOfPasswordPrompts 1
Host *
  User fallback
  IdentityAgent none
  GlobalKnownHostsFile none
  ProxyCommand none
`,
  );
  options = { ...NO_SSH_OPTIONS, configFile: config };
});
afterAll(() => folder.remove());

const named = (alias: string) => ({ alias, user: ME, env: {} });

function byFiles(destination: string, given: SshOptions = options): SshSettings {
  const place = parseDestination(destination);
  return settingsOf(readConfigurationFiles(place, given).lines, named(place.host));
}

describe('the configuration files', () => {
  it('give what stands first, and all keys', () => {
    expect(byFiles('web7')).toMatchObject({
      alias: 'web7',
      host: '10.0.0.7',
      user: 'root',
      port: 2222,
      identityFiles: ['/keys/always', `${HOME}/.ssh/web_10.0.0.7_root`, '/keys/with a space'],
      identitiesOnly: true,
      agentSocket: undefined,
      serverAlive: { intervalMs: 30_000, countMax: 7 },
      connectTimeoutMs: 5000,
      batchMode: true,
      passwordPrompts: 1,
      proxyCommand: undefined,
    });
  });

  it('give jumps, hosts and their checks', () => {
    expect(byFiles('web9')).toMatchObject({
      host: 'web9.example.org',
      user: 'fallback',
      proxyJump: ['gate', 'mo@[2001:db8::1]:2200'],
      strictHostKeyChecking: 'accept-new',
      userKnownHostsFiles: [`${HOME}/.ssh/own_web9`, '/dev/null'],
      globalKnownHostsFiles: [],
      hashKnownHosts: true,
    });
  });

  it('give a proxy command as it was written', () => {
    const settings = byFiles('proxied');
    expect(settings).toMatchObject({ hostKeyAlias: 'the-real-one', addressFamily: 'inet6', methods: ['publickey'] });
    expect(proxyCommandLine(settings, settings.proxyCommand as string)).toBe(
      'exec nc -X connect -x proxy=x:3128 "proxied" 22',
    );
  });

  it('include files in the order of their names, within the host that includes them', () => {
    expect(byFiles('late').user).toBe('from-more-1');
    expect(byFiles('nested1')).toMatchObject({ user: 'deep', port: 22, identityFiles: ['/keys/always', '/keys/deep'] });
    expect(byFiles('nested2')).toMatchObject({ user: 'deep', port: 99 });
    expect(byFiles('other').identityFiles).toEqual(['/keys/always']);
  });

  it('come after the command line', () => {
    const given = {
      ...options,
      identityFiles: ['/mine'],
      jump: 'j',
      port: 5,
      settings: ['ConnectTimeout=9', 'User=x'],
    };
    expect(byFiles('me@web7', given)).toMatchObject({
      user: 'me',
      port: 5,
      proxyJump: ['j'],
      connectTimeoutMs: 9000,
      identityFiles: ['/mine', '/keys/always', `${HOME}/.ssh/web_10.0.0.7_me`, '/keys/with a space'],
    });
  });

  it('are explained when they cannot be read', () => {
    const read = (text: string) => {
      const configFile = folder.write('wrong', text);
      return () => readConfigurationFiles(parseDestination('web7'), { ...NO_SSH_OPTIONS, configFile });
    };
    expect(read('User "unfinished\n')).toThrow(/wrong is malformed/);
    expect(read(`Include ${folder.path}/wrong\n`)).toThrow(/includes too many files/);
    expect(read('Host\nUser x\n')).not.toThrow();
    expect(() =>
      readConfigurationFiles(parseDestination('web7'), { ...NO_SSH_OPTIONS, configFile: folder.file('absent') }),
    ).toThrow(OpenError);
    const { notices } = readConfigurationFiles(parseDestination('web7'), {
      ...NO_SSH_OPTIONS,
      configFile: folder.write('exec', `Match exec "touch ${folder.path}/ran"\n  User x\n`),
    });
    expect(notices).toEqual([expect.stringMatching(/Match exec.*left out/)]);
    expect(() => folder.read('ran')).toThrow();
  });

  it('may be left out', () => {
    const { lines } = readConfigurationFiles(parseDestination('mo@web7'), { ...NO_SSH_OPTIONS, configFile: 'none' });
    expect(lines).toEqual([['user', 'mo']]);
  });

  it("are the user's and then the system's", () => {
    const home = folder.path;
    const systemFile = folder.write('system', 'Host *\n  User system\n  Port 77\n');
    const places = { home, systemFile };
    expect(readConfigurationFiles(parseDestination('x'), NO_SSH_OPTIONS, places).lines).toEqual([
      ['user', 'system'],
      ['port', '77'],
    ]);
  });
});

describe.skipIf(!hasOpenssh)('OpenSSH, asked by ssh -G', () => {
  it.each([
    'web7',
    'web8',
    'web9',
    'proxied',
    'late',
    'nested1',
    'nested2',
    'other',
    'me@web7',
    'web7:5',
    'x@[2001:db8::9]:7',
  ])('says the same of %s as the files', async (destination) => {
    const { settings } = await readConfiguration(parseDestination(destination), options, signal);
    const files = byFiles(destination);
    // What is nowhere set has OpenSSH's defaults, of which the distribution may have its own.
    const { hostKeyAlgorithms: _, ...told } = settings;
    const { hostKeyAlgorithms: __, ...read } = files;
    expect({ ...told, identityFiles: told.identityFiles.map((path) => path.replaceAll('"', '')) }).toEqual(read);
  });

  it('has the standard files where nothing is set', async () => {
    const { settings } = await readConfiguration(
      parseDestination('x'),
      { ...NO_SSH_OPTIONS, configFile: 'none' },
      signal,
    );
    const standard = settingsOf([], named('x'));
    expect(settings.identityFiles).toEqual(expect.arrayContaining([`${HOME}/.ssh/id_ed25519`, `${HOME}/.ssh/id_rsa`]));
    expect(standard.identityFiles).toEqual(expect.arrayContaining([`${HOME}/.ssh/id_ed25519`]));
    expect(settings.userKnownHostsFiles).toEqual(standard.userKnownHostsFiles);
    expect(settings.globalKnownHostsFiles).toEqual(standard.globalKnownHostsFiles);
    expect(settings.hostKeyAlgorithms).toContain('ssh-ed25519');
  });

  it('is explained when it does not take the options or the file', async () => {
    const place = parseDestination('x');
    const wrong = { ...NO_SSH_OPTIONS, configFile: 'none', settings: ['NoSuchKeyword=1'] };
    await expect(readConfiguration(place, wrong, signal)).rejects.toThrow(UsageError);
    await expect(readConfiguration(place, wrong, signal)).rejects.toThrow(/nosuchkeyword/i);
    const configFile = folder.write('bad', 'NoSuchKeyword 1\n');
    await expect(readConfiguration(place, { ...NO_SSH_OPTIONS, configFile }, signal)).rejects.toThrow(OpenError);
    await expect(readConfiguration(place, { ...wrong, settings: ['x'] }, signal)).rejects.toThrow(/is not KEY=VALUE/);
  });
});

test.each<[readonly SettingLine[], Partial<SshSettings>]>([
  [[['connecttimeout', '1m30s']], { connectTimeoutMs: 90_000 }],
  [[['connecttimeout', 'none']], { connectTimeoutMs: undefined }],
  [[['connecttimeout', '9999999w']], { connectTimeoutMs: 86_400_000 }],
  [[['stricthostkeychecking', 'off']], { strictHostKeyChecking: 'no' }],
  [[['stricthostkeychecking', 'true']], { strictHostKeyChecking: 'yes' }],
  [[['stricthostkeychecking', 'perhaps']], { strictHostKeyChecking: 'ask' }],
  [[['identityfile', 'none']], { identityFiles: [] }],
  [[['identityagent', '$AGENT']], { agentSocket: '/run/agent' }],
  [[['identityagent', 'SSH_AUTH_SOCK']], { agentSocket: '/run/default' }],
  [[['identityagent', '/run/%u']], { agentSocket: `/run/${ME}` }],
  [[], { agentSocket: '/run/default' }],
  [[['identityfile', `/%%/%l/$\{AGENT}/%x`]], { identityFiles: [`/%/${hostname()}//run/agent/%x`] }],
  [[['pubkeyauthentication', 'unbound']], { methods: ['publickey', 'keyboard-interactive', 'password'] }],
  [[['challengeresponseauthentication', 'no']], { methods: ['publickey', 'password'] }],
  [[['hostkeyalgorithms', '+ssh-rsa']], { hostKeyAlgorithms: undefined }],
  [[['hostkeyalgorithms', 'ssh-rsa,x']], { hostKeyAlgorithms: ['ssh-rsa', 'x'] }],
  [[['port', 'x']], { port: 22 }],
  [
    [
      ['proxycommand', 'x'],
      ['proxyjump', 'j'],
    ],
    { proxyJump: ['j'], proxyCommand: undefined },
  ],
])('%j mean %j', (lines, expected) => {
  const env = { AGENT: '/run/agent', SSH_AUTH_SOCK: '/run/default' };
  expect(settingsOf(lines, { alias: 'web7', user: ME, env })).toMatchObject(expected);
});

test('a path with a variable that is not set is refused', () => {
  expect(() => settingsOf([['identityfile', `$\{NOWHERE}/x`]], named('x'))).toThrow(/NOWHERE is not set/);
});

describe('a proxy command', () => {
  const settings = (lines: readonly SettingLine[]) => settingsOf(lines, named('web7'));

  it('has its tokens replaced', () => {
    expect(
      proxyCommandLine(
        settings([
          ['hostname', 'h'],
          ['user', 'mo'],
          ['port', '5'],
        ]),
        'nc %h %p %r %n %%h',
      ),
    ).toBe('exec nc h 5 mo web7 %h');
  });

  it('takes no name that is more than a word to the shell', () => {
    expect(() => proxyCommandLine(settings([['hostname', 'x;id']]), 'nc %h %p')).toThrow(OpenError);
    expect(() => proxyCommandLine(settings([['user', '$(id)']]), 'nc web7 -l %r')).toThrow(OpenError);
    expect(proxyCommandLine(settings([['hostname', 'x;id']]), 'nc web7 %p')).toBe('exec nc web7 22');
  });
});
