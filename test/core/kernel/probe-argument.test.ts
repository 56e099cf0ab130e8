import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KdbgError, UsageError } from '../../../src/core/errors.ts';
import { probeArguments } from '../../../src/core/kernel/probe-argument.ts';
import { probeParameters } from '../../../src/core/kernel/probe-parameters.ts';
import type { ProbeNames } from '../../../src/core/kernel/probe-path.ts';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import { getMember } from '../../../src/core/types/member-path.ts';
import type { TypeTable } from '../../../src/core/types/type.ts';
import { btf } from '../../support/btf-builder.ts';
import { openReplay } from '../../support/replay-session.ts';

const SOURCE = `
typedef unsigned int u32;
typedef unsigned long size_t;
typedef long ssize_t;
typedef long long loff_t;
typedef struct { int counter; } atomic_t;
typedef struct { u32 val; } kuid_t;
enum state { IDLE, BUSY = 5 };
struct list_head { struct list_head *next, *prev; };
struct qstr { u32 hash; u32 len; const unsigned char *name; };
struct dentry { int flags; struct qstr d_name; struct dentry *d_parent; char d_iname[32]; };
struct path { void *mnt; struct dentry *dentry; };
struct ops { long (*read)(int); };
struct small { int a; int b; long c; };
struct large { long a[4]; };
struct flags { u32 low : 3; u32 mid : 7; int sign : 5; unsigned long wide : 60; };
struct file {
  u32 f_mode; atomic_t f_count; struct path f_path; const struct ops *f_op; enum state state; _Bool ready;
  const char *title; unsigned char bytes[6]; struct list_head lists[4]; struct file *others[2]; struct flags bits; int flexible[];
};
ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos);
void release(struct file *file);
struct file *opened(const char *name, int mode);
_Bool is_ready(struct file *file);
enum state state_of(struct file *file);
int owner(kuid_t kuid, struct small two, struct large big, int last, int e, int f, int g, int h);
int wide(__int128 both, int after);
struct file *first_file;
`;

function namesOf(types: TypeTable, name: string, globals: readonly string[] = []): ProbeNames {
  const prototype = types.function(name);
  if (prototype === undefined) throw new Error(`no ${name}`);
  return {
    what: name,
    parameters: probeParameters(prototype),
    returns: prototype.returns,
    types,
    global: (variable) => (globals.includes(variable) ? types.variable(variable) : undefined),
  };
}

const types = new BtfTable(btf(SOURCE).bytes);
const compiled = (name: string, ...texts: readonly string[]): readonly string[] =>
  probeArguments(texts, namesOf(types, name, ['first_file'])).map(
    (each) => `${each.name}=${each.fetch}:${each.kernelType}`,
  );

describe('a path of C', () => {
  test.each([
    // Parameters by their registers, their types by C's.
    ['vfs_read', 'count', 'count=$arg3:u64'],
    ['vfs_read', 'file', 'file=$arg1:x64'],
    ['vfs_read', 'buf', 'buf=+0($arg2):string'],
    ['vfs_read', 'buf:x64', 'buf=$arg2:x64'],
    ['vfs_read', 'n=count:x32', 'n=$arg3:x32'],
    ['vfs_read', '*pos', 'pos=+0($arg4):s64'],
    ['vfs_read', 'pos[0]', 'pos=+0($arg4):s64'],
    ['vfs_read', 'pos[3]', 'pos=+24($arg4):s64'],
    // Members: of what a pointer leads to and of what is there itself, with -> and . alike.
    ['vfs_read', 'file->f_mode', 'f_mode=+0($arg1):u32'],
    ['vfs_read', 'file.f_mode', 'f_mode=+0($arg1):u32'],
    ['vfs_read', '(*file).f_mode', 'f_mode=+0($arg1):u32'],
    ['vfs_read', 'file->f_count.counter', 'counter=+4($arg1):s32'],
    ['vfs_read', 'file->f_count', 'f_count=+4($arg1):s32'],
    ['vfs_read', 'file->f_path.dentry', 'dentry=+16($arg1):x64'],
    ['vfs_read', 'file->f_path.dentry->d_name.name:string', 'name=+0(+16(+16($arg1))):string'],
    ['vfs_read', 'file->f_path.dentry->d_name.name', 'name=+16(+16($arg1)):x64'],
    ['vfs_read', 'file->f_path.dentry->d_parent->d_parent->flags', 'flags=+0(+24(+24(+16($arg1)))):s32'],
    ['vfs_read', 'file->f_path.dentry->d_iname', 'd_iname=+32(+16($arg1)):string'],
    ['vfs_read', 'file->f_path.dentry->d_iname[2]', 'd_iname=+34(+16($arg1)):s8'],
    ['vfs_read', 'file->title', 'title=+0(+40($arg1)):string'],
    ['vfs_read', 'file->title:ustring', 'title=+u0(+40($arg1)):ustring'],
    ['vfs_read', 'file->f_op->read', 'read=+0(+24($arg1)):symbol'],
    ['vfs_read', 'file->f_op:symbol', 'f_op=+24($arg1):symbol'],
    ['vfs_read', 'file->state', 'state=+32($arg1):u32'],
    ['vfs_read', 'file->ready', 'ready=+36($arg1):u8'],
    ['vfs_read', 'file->bytes', 'bytes=+48($arg1):u8[6]'],
    ['vfs_read', 'file->bytes:x8[3]', 'bytes=+48($arg1):x8[3]'],
    ['vfs_read', 'file->lists[2].next', 'next=+88($arg1):x64'],
    ['vfs_read', 'file->others', 'others=+120($arg1):x64[2]'],
    ['vfs_read', 'file->others[1]->f_mode', 'f_mode=+0(+128($arg1)):u32'],
    // Bits are cut out of a word that holds them.
    ['vfs_read', 'file->bits.low', 'low=+136($arg1):b3@0/8'],
    ['vfs_read', 'file->bits.mid', 'mid=+136($arg1):b7@3/16'],
    ['vfs_read', 'file->bits.sign', 'sign=+137($arg1):b5@2/8'],
    ['vfs_read', 'file->bits.wide', 'wide=+144($arg1):b60@0/64'],
    // Addresses that need no computing, casts, what surrounds a member.
    ['vfs_read', '&file->f_mode', 'f_mode=$arg1:x64'],
    ['vfs_read', '(&file->f_path)->dentry', 'dentry=+16($arg1):x64'],
    ['vfs_read', '((struct dentry *)buf)->flags', 'flags=+0($arg2):s32'],
    ['vfs_read', '(int)count', 'count=$arg3:s32'],
    ['vfs_read', 'container_of(pos, struct file, lists)->f_mode', 'f_mode=-56($arg4):u32'],
    // Globals, the return, the task, the kernel's own language.
    ['vfs_read', 'first_file', 'first_file=@first_file:x64'],
    ['vfs_read', 'first_file->f_count', 'f_count=+4(@first_file):s32'],
    ['vfs_read', 'ret', 'ret=$retval:s64'],
    ['opened', 'ret', 'ret=$retval:x64'],
    ['opened', 'ret->f_mode', 'f_mode=+0($retval):u32'],
    ['opened', 'name', 'name=+0($arg1):string'],
    ['is_ready', 'ret', 'ret=$retval:u8'],
    ['state_of', 'ret', 'ret=$retval:u32'],
    ['vfs_read', 'comm', 'comm=$comm:string'],
    ['vfs_read', '$arg3', 'arg3=$arg3:u64'],
    ['vfs_read', '$arg9', 'arg9=$arg9:x64'],
    ['vfs_read', '$arg2:string', 'arg2=+0($arg2):string'],
    ['vfs_read', '$arg9:string', 'arg9=+0($arg9):string'],
    ['vfs_read', '$stack3', 'stack3=$stack3:x64'],
    ['vfs_read', 'where=+8(%sp):symbol', 'where=+8(%sp):symbol'],
    ['vfs_read', '%di', 'di=%di:x64'],
    ['vfs_read', '@jiffies:u64', 'jiffies=@jiffies:u64'],
    // What is passed by value: in one register, in two together, on the stack; and what finds no register left.
    ['owner', 'kuid', 'kuid=$arg1:u32'],
    ['owner', 'kuid.val', 'val=$arg1:u32'],
    ['owner', 'two.a', 'a=$arg2:s32'],
    ['owner', 'two.b', 'b=$arg2:b32@32/64'],
    ['owner', 'two.c', 'c=$arg3:s64'],
    ['owner', 'big.a[1]', 'a=+16(%sp):s64'],
    ['owner', 'last', 'last=$arg4:s32'],
    ['owner', 'f', 'f=$arg6:s32'],
    ['owner', 'g', 'g=$arg11:s32'],
    ['owner', 'h', 'h=$arg12:s32'],
    ['wide', 'after', 'after=$arg3:s32'],
  ])('%s: %s is %s', (name, text, expected) => expect(compiled(name, text)).toEqual([expected]));

  test('names are the last of the path, each once', () => {
    expect(
      compiled('vfs_read', 'file->f_mode', 'file->others[0]->f_mode', 'f_mode_3=count').map(
        (each) => each.split('=')[0],
      ),
    ).toEqual(['f_mode', 'f_mode_2', 'f_mode_3']);
  });
});

describe('what cannot be fetched is said at its place', () => {
  test.each([
    ['vfs_read', 'file->nosuch', 6, /struct file has no member "nosuch"/],
    ['vfs_read', 'x=file->f_pth.dentry:x64', 8, /no member "f_pth"/],
    ['vfs_read', 'file->f_mode->x', 14, /no members/],
    ['vfs_read', 'coutn', 0, /no parameter or global "coutn"; did you mean count\?/],
    ['vfs_read', 'count->x', 7, /no members/],
    ['vfs_read', '*count', 0, /no pointer/],
    ['vfs_read', 'file->f_path', 6, /struct path is no value/],
    ['vfs_read', 'file->lists', 6, /no value that a probe can show/],
    ['vfs_read', 'file->flexible', 6, /length of .* is not known/],
    ['vfs_read', 'file->lists[count]', 12, /index must be a number/],
    ['vfs_read', 'count + 1', 6, /cannot compute/],
    ['vfs_read', '&file->f_count', 0, /cannot compute an address/],
    ['vfs_read', 'count:string', 0, /read from a pointer/],
    ['vfs_read', 'count:u7', 6, /"u7" is no type/],
    ['vfs_read', 'file->bytes:u8[65]', 12, /no type/],
    ['vfs_read', '$arg9->x', 7, /not known/],
    ['vfs_read', '$nosuch', 0, /have no \$nosuch/],
    ['vfs_read', '+8(%sp);x', 0, /is nothing that/],
    ['vfs_read', '%di\n-:other/probe', 0, /is nothing that/],
    ['vfs_read', 'common_pid=count', 0, /cannot be the name/],
    ['vfs_read', `${'n'.repeat(32)}=count`, 0, /cannot be the name/],
    ['vfs_read', `file${'->others[0]'.repeat(12)}`, 0, /longer than the 63 characters/],
    ['wide', 'both', 0, /wider than/],
    ['release', 'ret', 0, /release returns nothing/],
  ])('%s: %s', (name, text, column, message) => {
    const error = errorOf(() => compiled(name, text));
    expect(error).toBeInstanceOf(UsageError);
    expect(error?.message).toMatch(message);
    expect(error).toMatchObject({ column, source: text });
  });

  test('two arguments of one name', () => {
    expect(() => compiled('vfs_read', 'a=count', 'a=pos')).toThrow(/two arguments are named a/);
  });

  test('any text gives an argument of one line, or an error for the user', () => {
    const word = fc.string({
      unit: fc.constantFrom(
        'file',
        '->',
        '.',
        'f_path',
        'dentry',
        '*',
        '&',
        '(',
        ')',
        '[',
        '1',
        ']',
        ':',
        'string',
        'u8',
        '$',
        'arg1',
        '%',
        '@',
        '=',
        ' ',
        '\n',
        '"',
        '\\',
      ),
      maxLength: 24,
    });
    fc.assert(
      fc.property(word, (text) => {
        try {
          for (const argument of compiled('vfs_read', text))
            expect(argument).toMatch(/^[\w]+=[\w$%@+().\\-]{1,63}:[\w@/[\]]+$/);
        } catch (error) {
          if (!(error instanceof KdbgError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe.each(['mutex-deadlock', 'writer-starves'])('the types of %s', (recording) => {
  const replay = openReplay(`recordings/${recording}.kdbg`);
  const { kernel } = replay.session.scope();
  const at = (type: string, path: string): number => {
    const found = kernel.types.find('struct', type);
    if (found === undefined) throw new Error(`no struct ${type}`);
    return getMember(found, path).offset;
  };
  const argument = (name: string, text: string): string => {
    const [only] = probeArguments([text], namesOf(kernel.types, name));
    return `${only?.fetch}:${only?.kernelType}`;
  };

  test.each([
    [
      'vfs_read',
      'file->f_path.dentry->d_name.name:string',
      () => `+0(+${at('dentry', 'd_name.name')}(+${at('file', 'f_path.dentry')}($arg1))):string`,
    ],
    ['vfs_read', 'count', () => '$arg3:u64'],
    ['vfs_read', 'ret', () => '$retval:s64'],
    [
      'vfs_read',
      'file->f_op->read_iter',
      () => `+${at('file_operations', 'read_iter')}(+${at('file', 'f_op')}($arg1)):symbol`,
    ],
    ['do_sys_openat2', 'how->flags', () => '+0($arg3):u64'],
    ['wake_up_process', 'p->comm', () => `+${at('task_struct', 'comm')}($arg1):string`],
    ['wake_up_process', 'p->__state', () => `+${at('task_struct', '__state')}($arg1):u32`],
    [
      'wake_up_process',
      'p->in_execve',
      () => new RegExp(`^\\+${at('task_struct', 'in_execve')}\\(\\$arg1\\):b1@[0-7]/8$`),
    ],
    ['__x64_sys_read', 'regs->di:s32', () => `+${at('pt_regs', 'di')}($arg1):s32`],
    ['from_kuid', 'kuid', () => '$arg2:u32'],
  ])('%s %s', (name, text, expected) => {
    const value = expected();
    if (typeof value === 'string') expect(argument(name, text)).toBe(value);
    else expect(argument(name, text)).toMatch(value);
  });
});

function errorOf(act: () => unknown): Error | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
