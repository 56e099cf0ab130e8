import { mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cached, keyOf, labRoot, runHost } from './cache.ts';
import { type ArchiveFile, file, link, packArchive } from './cpio.ts';
import { unpack, versionOf } from './debian.ts';

/**
 * What makes a guest one that people log in to: users with and without sudo, Debian's sudo with PAM, passwords, python3,
 * Perl's modules, and an sshd with three doors (guest/logins_sshd_config).
 */

/** The users, all of whom the lab's key lets in; guest/sudoers says what each may. */
export const loginUsers = {
  root: { uid: 0, password: 'root-7c1f-word' },
  /** May nothing. */
  plain: { uid: 1000, password: 'plain-93ab-word' },
  /** sudo asks for nothing, and runs commands on the pipes that it has. */
  sudoer: { uid: 1001, password: 'sudoer-55e0-word' },
  /** As sudoer, with a terminal of the command's own: Debian's default. */
  ptysudoer: { uid: 1002, password: 'ptysudoer-2d4f-word' },
  /** sudo asks for the password. */
  asker: { uid: 1003, password: 'asker-b81c-word' },
  /** sudo wants a terminal, which no pipe is. */
  tty: { uid: 1004, password: 'tty-6e2a-word' },
} as const;

export type LoginUser = keyof typeof loginUsers;

/** Unpacked for their programs: the machine that runs the lab need not have them. */
const packages = ['sudo', 'python3.11-minimal', 'libpython3.11-minimal', 'libexpat1'];

const libraryFolders = ['usr/libexec/sudo', 'lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'];

const unpackedPackages = (): string =>
  cached(`logins/packages-${keyOf(...packages.map((name) => `${name} ${versionOf(name)}`))}`, (path) => {
    unpack(packages, path);
    const library = join(path, 'usr/lib/python3.11');
    // As Debian's installation leaves it; the archive keeps no times, which the usual kind of cache goes by.
    const settings = ['-q', '-s', path, '-p', '/', '--invalidation-mode', 'unchecked-hash'];
    runHost('env', [
      `LD_LIBRARY_PATH=${join(path, 'usr/lib/x86_64-linux-gnu')}:${join(path, 'lib/x86_64-linux-gnu')}`,
      `PYTHONHOME=${join(path, 'usr')}`,
      join(path, 'usr/bin/python3.11'),
      ...['-m', 'compileall', ...settings, library],
    ]);
  });

/** The shared libraries of a program, first from `root`, then from this machine. */
const librariesOf = (program: string, root: string): readonly ArchiveFile[] => {
  const path = libraryFolders.map((folder) => join(root, folder)).join(':');
  const listed = runHost('env', [`LD_LIBRARY_PATH=${path}`, 'ldd', program]);
  return [...listed.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, library]) => {
    const inGuest = library!.startsWith(root) ? relative(root, library!) : library!.slice(1);
    return file(inGuest, readFileSync(library!), 0o755);
  });
};

const tree = (root: string, folder: string): readonly ArchiveFile[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path);
    if (entry.isSymbolicLink()) return [link(name, readlinkSync(path))];
    return entry.isFile() ? [file(name, readFileSync(path))] : [];
  });

/** Modules of Perl that a reader may use, with all that they load: what a Debian server has. */
const perlModules = ['Fcntl', 'Cwd', 'POSIX', 'Errno', 'Compress::Zlib', 'Digest::SHA'];

const perlFiles = (): readonly string[] => {
  const script = 'eval "require $_" for @ARGV; print map { "$_\n" } values %INC, @DynaLoader::dl_shared_objects';
  return runHost('perl', ['-e', script, ...perlModules])
    .split('\n')
    .filter((path) => path.startsWith('/'));
};

const pamModules = ['pam_unix.so', 'pam_permit.so', 'pam_deny.so'];
const pamFolder = 'lib/x86_64-linux-gnu/security';
const pamRules = ['auth required pam_unix.so', 'account required pam_unix.so', 'session required pam_permit.so', ''];

/** The second host key: known_hosts files of users often have only one of a host's kinds. */
const ecdsaKey = (): string =>
  cached('ssh-ecdsa', (path) => {
    mkdirSync(path);
    runHost('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-C', 'kdbg-lab-host_key_ecdsa', '-f', join(path, 'key')]);
  });

const passwordHash = (password: string): string =>
  runHost('perl', ['-e', 'print crypt($ARGV[0], q($6$kdbglab$))', password]);

const accounts = (publicKey: Uint8Array): readonly ArchiveFile[] => {
  const users = Object.entries(loginUsers).map(([name, { uid, password }]) => ({
    name,
    uid,
    home: uid === 0 ? '/root' : `/home/${name}`,
    hash: passwordHash(password),
  }));
  const lines = (each: (user: (typeof users)[number]) => string, last: string): string =>
    `${users.map((user) => `${each(user)}\n`).join('')}${last}\n`;
  return [
    file(
      'etc/passwd',
      lines(
        ({ name, uid, home }) => `${name}:x:${uid}:${uid}::${home}:/bin/sh`,
        'sshd:x:100:100::/run/sshd:/bin/false',
      ),
    ),
    file(
      'etc/shadow',
      lines(({ name, hash }) => `${name}:${hash}:19000:0:99999:7:::`, 'sshd:*:19000::::::'),
      0o600,
    ),
    file(
      'etc/group',
      lines(({ name, uid }) => `${name}:x:${uid}:`, 'sshd:x:100:'),
    ),
    ...users.map(({ home }) => file(`${home.slice(1)}/.ssh/authorized_keys`, publicKey, 0o644)),
  ];
};

/** The archive to unpack after the system's. `keys` is the folder with the lab's key pairs. */
export const loginsPart = (keys: string): string => {
  const root = unpackedPackages();
  const sources = ['sudoers', 'logins_sshd_config'].map((name) => join(labRoot, 'guest', name)) as [string, string];
  const hostKey = join(ecdsaKey(), 'key');
  const publicKey = readFileSync(join(keys, 'id.pub'));
  const recipe = ['logins.ts', 'cpio.ts'].map((name) => join(labRoot, name));
  const key = keyOf(root, publicKey, ...[...sources, hostKey, ...recipe].map((path) => readFileSync(path)));
  return cached(`initramfs/logins-${key}.cpio`, (path) => {
    const [sudoers, sshdConfig] = sources;
    const sudo = join(root, 'usr/bin/sudo');
    const python = join(root, 'usr/bin/python3.11');
    const modules = pamModules.map((name) => join('/', pamFolder, name));
    const perl = perlFiles();
    const linked = [
      sudo,
      join(root, 'usr/libexec/sudo/sudoers.so'),
      python,
      ...modules,
      ...perl.filter((each) => each.endsWith('.so')),
    ];
    const archive = packArchive([
      ...accounts(publicKey),
      file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n'),
      ...['sshd', 'sudo', 'other'].map((name) => file(`etc/pam.d/${name}`, pamRules.join('\n'))),
      ...modules.map((each) => file(each.slice(1), readFileSync(realpathSync(each)), 0o755)),
      file('etc/sudoers', readFileSync(sudoers), 0o440),
      file('usr/bin/sudo', readFileSync(sudo), 0o4755),
      ...tree(root, 'usr/libexec/sudo'),
      file('usr/bin/python3.11', readFileSync(python), 0o755),
      link('usr/bin/python3', 'python3.11'),
      ...tree(root, 'usr/lib/python3.11'),
      ...perl.map((each) => file(each.slice(1), readFileSync(each), 0o644)),
      ...linked.flatMap((program) => librariesOf(program, root)),
      file('etc/ssh/sshd_config', readFileSync(sshdConfig)),
      file('etc/ssh/host_key_ecdsa', readFileSync(hostKey), 0o600),
    ]);
    writeFileSync(path, archive);
  });
};
