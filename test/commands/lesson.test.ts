/** Writing a lesson in a session: each line goes into the file, into what stands there by then. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { isHarmless } from '../../src/core/command/harmless-line.ts';
import type { LessonFiles } from '../../src/core/command/lesson-files.ts';
import { spansOf } from '../../src/core/output/line.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';
import { openReplay, type ReplaySession } from '../support/replay-session.ts';

const RECORDING = resolve(import.meta.dirname, '../../recordings/mutex-deadlock.kdbg');

let file: string | undefined;
/** One for all tests of an author: opening it takes longer than all that they do. */
let session: ReplaySession;
const lessons: LessonFiles = {
  path: 'hang.lesson.md',
  read: () => file,
  write(text) {
    file = text;
  },
  progress: () => undefined,
  keepProgress: () => undefined,
};

beforeAll(() => {
  session = openReplay(RECORDING, lessons);
});
beforeEach(() => {
  file = undefined;
});
afterAll(() => session.close());

/** Runs lines in a session of their own. */
function inAnother(files: LessonFiles, ...lines: string[]): readonly string[] {
  const another = openReplay(RECORDING, files);
  const printed = lines.flatMap((line) => another.run(line).lines);
  another.close();
  return printed;
}

const run = (...lines: string[]): readonly string[] => lines.flatMap((line) => session.run(line).lines);

describe('an author', () => {
  it('writes a lesson line by line', () => {
    run(
      'lesson start It hangs',
      'lesson text Somebody called.',
      'lesson text "They said: it hangs; all of it."',
      'lesson step Who?',
      'lesson task Which PID?',
      'lesson check pid 137',
      'lesson check "pid 136 | pid 137"',
      'lesson text There are two.',
      'lesson text Find one.',
      'lesson wrong "pid 138 => It waits."',
      'lesson hint `ps` takes a state',
      'ps UN',
      'lesson expert',
      "lesson reason the writer's lock",
      'lesson step Why?',
      'lesson expert bt 136',
    );
    expect(file).toBe(`# It hangs

Somebody called.

They said: it hangs; all of it.

## Who?

There are two.

Find one.

- task: Which PID?
- check: pid 136 | pid 137
- wrong: pid 138 => It waits.
- hint: \`ps\` takes a state
- expert: \`ps UN\`
- reason: the writer's lock

## Why?

- expert: \`bt 136\`
`);
    expect(run('lesson preview').at(-1)).toBe('2 steps: everything in it holds on this recording');
  });

  it('keeps what is written by hand meanwhile, and writes into the step that is shown', () => {
    run('lesson start', 'lesson step One', 'lesson task a', 'lesson step Two', 'lesson task b');
    file = file?.replace('- task: a', '<!-- look -->\n- task: a,\n  by hand\n- hint: by hand');
    run('lesson goto 1', 'lesson hint more');
    expect(file).toBe(
      '# hang\n\n## One\n\n<!-- look -->\n- task: a,\n  by hand\n- hint: by hand\n- hint: more\n\n## Two\n\n- task: b\n',
    );
    run('lesson task other');
    expect(file).toContain('<!-- look -->\n- task: other\n- hint: by hand\n');
    run('lesson step Between');
    expect(file).toMatch(/- hint: more\n\n## Between\n\n## Two/);
  });

  test.each([
    ['lesson check pid 4000', 'no task "4000"'],
    ['lesson check symbol no_such_symbol', 'no symbol "no_such_symbol"'],
    ['lesson check address no_such + 1', 'no symbol "no_such"'],
    ['lesson check ran nosuch', 'no command "nosuch"'],
    ['lesson check number many', 'the check "number" wants a number, or two with .. between, not "many"'],
    ['lesson check choice a', 'the step has no option "a"'],
    ['lesson option yes', 'an option is a letter and a text: "a => TEXT"'],
    ['lesson step Who?', 'a step with this title begins in line 3 already'],
    ['lesson task', 'the text is missing'],
    [`lesson text ${'x'.repeat(5000)}`, 'the text is too long for one line of a lesson'],
  ])('what is wrong is refused, and not written: %#', (line, message) => {
    run('lesson start', 'lesson step Who?');
    const before = file;
    expect(run(line).join(' ')).toContain(message);
    expect(file).toBe(before);
  });

  it('is told what does not hold', () => {
    run('lesson start', 'lesson step A', 'lesson check pid 136', 'lesson expert bt 4000');
    run('lesson step B', 'lesson check "ran bt shows nothing such"', 'lesson expert bt 136');
    file = file?.replace('pid 136', 'pid 4001');
    run('lesson start');
    const lines = run('lesson preview');
    expect(lines).toContain('(step 1: a check does not hold: no task "4001")');
    expect(lines).toContain('(step 1: "bt 4000" fails: no task "4000")');
    expect(lines).toContain("(step 2: none of the expert's commands passes it)");
    expect(lines.at(-1)).toBe('2 steps: 3 problems');
  });
});

it('nobody writes a lesson by mistake', () => {
  expect(inAnother(lessons, 'lesson')).toEqual([
    'this recording has no lesson: there is no hang.lesson.md',
    '"lesson start" begins to write one; "kdbg train" lists the recordings that have one',
  ]);
  file = '# a\n## b\n- hint: c\n';
  expect(inAnother(lessons, 'lesson hint d')).toEqual([
    'no lesson is being written',
    '"lesson start" begins one, or goes on with it',
  ]);
  expect(file).toBe('# a\n## b\n- hint: c\n');
});

it('without a recording there are no lessons', () => {
  const printed = inAnother({ ...lessons, path: undefined }, 'lesson', 'lesson start');
  expect(printed).toContain('lessons belong to recordings');
  expect(printed).toContain('a lesson belongs to a recording');
});

test('a step that a pane shows is only named in the shell; why the last one was right is said', () => {
  run(
    'lesson start It hangs',
    'lesson step Who?',
    'lesson task Which PID?',
    'lesson check pid 137',
    'lesson reason It waits.',
    'lesson step What for?',
    'lesson task Which lock?',
    'lesson check ran ps',
    'lesson step The end',
    'lesson text Read this.',
    'lesson goto 1',
  );
  const shown = { showsLesson: true };
  const named = (step: number, title: string) => `Step ${step} of 3: ${title}  (in the pane of the lesson)`;
  const { lines } = session.run('answer 137', shown);
  expect(lines.slice(0, 2)).toEqual(['Right.', 'It waits.']);
  expect(lines.at(-1)).toBe(named(2, 'What for?'));
  expect(lines.join()).not.toContain('Which lock?');
  expect(session.run('ps 137', shown).lines.at(-1)).toBe(named(3, 'The end'));
  expect(session.run('lesson goto 2', shown).lines).toEqual([named(2, 'What for?').replace('?  ', '?  (passed)  ')]);
  // Asked for, it is shown; and so it is where no pane does.
  expect(session.run('lesson', shown).lines.join()).toContain('Which lock?');
  expect(run('lesson goto 2').join()).toContain('Which lock?');
});

describe('a line that somebody else wrote', () => {
  test.each([
    'ps UN',
    'bt -f 136',
    'ps UN | bt',
    'up',
    'px ((struct mutex *)0xffffffffc0658280)->owner.counter & ~7',
    'foreach UN bt',
    'help ps',
    'trace callers do_sys_open*',
    'trace callers do_syslog -- dmesg',
  ])('%s may be run at a key', (line) => expect(isHarmless(line, session.session.shell)).toBe(true));

  test.each([
    '!reboot',
    'ps; !reboot',
    'ps\n!reboot',
    'ps | sh',
    'ps !sh',
    'ps > file',
    'ps >> file',
    'bt < file',
    '< file',
    'record start file',
    'rd -r file ffffffffc0658280 8',
    'foreach UN rd -xr file ffffffffc0658280 8',
    'trace save file',
    'trace -n 3 open file',
    'trace callers do_syslog > file',
    'alias ps !sh',
    'repeat ps',
    'nosuch',
    '',
  ])('%j may not', (line) => expect(isHarmless(line, session.session.shell)).toBe(false));

  it('traces nothing on a live kernel', () => {
    const live = fakeSession(new FakeKernel());
    expect(isHarmless('trace callers do_syslog', live.shell)).toBe(false);
    expect(isHarmless('ps', live.shell)).toBe(true);
  });

  it('is shown by a lesson and a replay, and cannot be followed there', () => {
    run('lesson start', 'lesson step Look', 'lesson text "`ps UN` and `ps; !reboot`"', 'lesson expert "ps > file"');
    const refs = [...session.session.execute('lesson; lesson solution', { json: false, rc: false })].flatMap(
      (output) => (output.kind === 'lines' ? output.lines.flatMap(spansOf) : []),
    );
    const lines = refs.flatMap((part) =>
      typeof part !== 'string' && part.ref?.kind === 'command' ? part.ref.line : [],
    );
    expect(lines).toEqual(['ps UN']);
    expect(run('lesson preview')).toContain('(step 1: "ps > file" was not tried: it does more than look)');
  });
});

describe('an answer', () => {
  const step = (check: string, ...fields: string[]): void => {
    file = `# a\n## b\n- check: ${check}\n${fields.map((field) => `- ${field}\n`).join('')}## c\n`;
    run('lesson start', 'lesson restart');
  };
  const isRight = (answer: string): boolean => run(`answer ${answer}`)[0] === 'Right.';

  test.each([
    ['pid 136', ['136', 'pid 136', 'PID: 136', 'ffff8a5482218000', '0xFFFF8A5482218000', 'lab_ab'], ['137', 'lab_ba']],
    [
      'address ffffffffc0658280',
      ['ffffffffc0658280', '0xffffffffc0658280', 'lab_root.mutex_a', '&lab_root.mutex_a', 'lab_root+0x280'],
      ['ffffffffc06582a0', 'lab_root'],
    ],
    [
      'symbol __mutex_lock.constprop.0',
      [
        '__mutex_lock',
        '__mutex_lock.constprop.0',
        '__mutex_lock()',
        '__mutex_lock.constprop.0+0x39d',
        'ffffffff9941343d',
      ],
      ['mutex_lock', 'schedule', 'ffffffff99411911'],
    ],
    ['symbol lab_queue_behind', ['lab_queue_behind+0xe [kdbg_lab]', 'lab_queue_behind+0xe/0x20'], ['lab_ab_thread']],
    ['number 7', ['7', '0x7', '7 tasks', '7.0', '3 + 4'], ['8', '-7', '70']],
    ['number 50..60', ['50', '54.8', '54.8 s', '60'], ['49.9', '61']],
    ['text The inode lock', ['the inode lock', '"The  inode   lock."', 'THE INODE LOCK'], ['inode']],
    ['pid 136 | text none', ['lab_ab', 'none'], ['137']],
  ])('of %s', (check, right, wrong) => {
    for (const answer of right) {
      step(check);
      expect([answer, isRight(answer)]).toEqual([answer, true]);
    }
    step(check);
    for (const answer of wrong) expect([answer, isRight(answer)]).toEqual([answer, false]);
  });

  it('that is known to be wrong is told so', () => {
    step('pid 136', 'wrong: pid 137 => It waits.', 'hint: look');
    expect(run('answer lab_ba')).toEqual(['No. It waits.']);
    expect(run('answer 138')).toEqual(['No, that is not it.', '"lesson hint" helps']);
  });

  it('is not taken from what a lesson, a manual or an earlier session shows', () => {
    step('shows Neither will ever run again');
    for (const line of ['lesson', 'help ps', 'replay', 'replay search Neither', 'history']) {
      expect(run(line)).not.toContain('Right.');
    }
    step('ran ps');
    expect(run('ps UN')).toContain('Right.');
    step('ran ps');
    expect(run('ps 4000')).not.toContain('Right.');
    step('ran ps shows lab_ba');
    expect(run('foreach UN bt')).not.toContain('Right.');
    expect(run('list -H ffffffffc0658290 -s mutex_waiter.task | ps')).toContain('Right.');
  });
});
