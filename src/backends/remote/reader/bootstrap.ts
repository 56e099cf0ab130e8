/**
 * The line that makes a reader of whatever shell is at the other end of the stream. It must be a line to sh, bash, zsh,
 * csh and fish alike, so it has no quote within the quotes, no "!", no backslash. It finds the best interpreter, says
 * what it found, and becomes a loader that waits for the program: some shells (dash, busybox) read ahead, so nothing may
 * be sent before the loader has said that it waits.
 *
 * The magic is in the line in two parts: a terminal that echoes the line does not say the magic.
 */
import { randomBytes } from 'node:crypto';
import type { ReaderKind } from '../reader.ts';
import { READER_KINDS, readerProgram } from './programs.ts';

export interface Bootstrap {
  readonly magic: string;
  readonly line: string;
  /** The first thing said: what was found. */
  readonly start: RegExp;
  /** The loader waits. */
  readonly ready: RegExp;
  /** sudo wants a password. */
  readonly ask: string;
}

/** What the far side said of itself at the start. */
export interface Found {
  readonly uid: number;
  readonly pid: number;
  readonly kind: ReaderKind | 'none';
  /** '-' no terminal; raw: one that passes bytes as they are; cooked: one that could not be made to. */
  readonly terminal: '-' | 'raw' | 'cooked';
  /** '-': not needed or not wanted; n: without a password; s: with one; none: there is no sudo. */
  readonly sudo: '-' | 'n' | 's' | 'none';
}

/** A check of each interpreter: that it is there is not enough. */
const CHECKS: Readonly<Record<ReaderKind, string>> = {
  perl: 'perl -e "use 5.010;use Errno;use Fcntl;use Cwd;pack(q(Q),1)"',
  python3: 'python3 -I -S -c "import sys;sys.exit(sys.version_info<(3,5))"',
  sh: 'command -v dd',
};

function loader(kind: ReaderKind): string {
  const length = readerProgram(kind).length;
  switch (kind) {
    case 'perl':
      return (
        `perl -e "syswrite STDOUT,$\{d}ARGV[0].chr 10;while(length($\{d}b)<${length})` +
        `{sysread(STDIN,$\{d}b,${length}-length($\{d}b),length($\{d}b))||exit 3}eval $\{d}b;die $\{d}@"`
      );
    case 'python3':
      return (
        'python3 -I -S -c "import os,sys;os.write(1,(sys.argv[1]+chr(10)).encode());' +
        `exec(bytes().join(os.read(0,1)for _ in range(${length})))"`
      );
    case 'sh':
      return `sh -c "echo $\{d}0;IFS=;set -f;p=$\{d}(dd bs=1 count=${length} 2>/dev/null);eval $\{d}p"`;
  }
}

/** `forced`: this kind or none. */
export function bootstrap(forced: ReaderKind | undefined, wantsSudo: boolean): Bootstrap {
  const magic = `k${randomBytes(7).toString('hex')}`;
  const kinds = forced === undefined ? READER_KINDS : [forced];
  const script = [
    `a=${magic.slice(0, 6)};b=${magic.slice(6)};m=$a$b;d="$";LC_ALL=C;export LC_ALL;unset PERL5OPT PERL5LIB ENV`,
    'PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin;export PATH',
    't=-;if [ -t 0 ];then t=cooked;stty raw -echo 2>/dev/null&&t=raw;fi',
    's=;w=-;u=$(id -u)',
    ...(wantsSudo
      ? [
          'if [ "$u" = 0 ];then :;elif command -v sudo >/dev/null 2>&1;then ' +
            'if sudo -n true </dev/null >/dev/null 2>&1;then w=n;s="sudo -n --";' +
            'else w=s;s="sudo -S -p $m:ask: --";fi;else w=none;fi',
        ]
      : []),
    'k=none',
    ...kinds.map((kind) => `if [ $k = none ];then ${CHECKS[kind]} </dev/null >/dev/null 2>&1&&k=${kind};fi`),
    'echo "$m:start $u $$ $k $t $w"',
    'if [ $w = none ];then exit;fi',
    `case $k in ${kinds.map((kind) => `${kind}) exec $s ${loader(kind)} $m:ready;;`).join('')}esac`,
  ].join(';');
  return {
    magic,
    line: `exec sh -c '${script}'\n`,
    start: new RegExp(
      `${magic}:start (\\d{1,10}) (\\d{1,10}) (perl|python3|sh|none) (-|raw|cooked) (-|n|s|none)\\r?\\n`,
    ),
    ready: new RegExp(`${magic}:ready\\r?\\n`),
    ask: `${magic}:ask:`,
  };
}

export function found(match: RegExpExecArray): Found {
  const [, uid, pid, kind, terminal, sudo] = match;
  return {
    uid: Number(uid),
    pid: Number(pid),
    kind: kind as Found['kind'],
    terminal: terminal as Found['terminal'],
    sudo: sudo as Found['sudo'],
  };
}
