/** `kdbg train` of the built program: the list of lessons, a lesson in a batch and at the prompt, kept progress. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../support/program.ts';
import { openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';

const LESSON = `# A small lesson

- order: 2
- about: what a symbol is

## Read

Read this.

## Find

- task: Where is fn_1?
- check: address ffffffff81000080
- hint: \`sym fn_1\`
- reason: so
- expert: \`sym fn_1\`

## Run

- check: ran eval shows decimal: 65
`;

let program: Program;
let terminal: PseudoTerminal | undefined;
beforeAll(() => {
  program = buildProgram({ symbols: 100 });
});
afterAll(() => program.remove());
beforeEach(() => writeFileSync(lesson('small'), LESSON));
afterEach(() => {
  terminal?.kill();
  rmSync(join(program.folder, 'home/.local'), { recursive: true, force: true });
});

const lesson = (name: string): string => join(program.folder, `${name}.lesson.md`);
const kept = (): string => join(program.folder, 'home/.local/state/kdbg/lessons/small.json');
const train = (...args: string[]) => program.run(['train', ...args]);

describe('kdbg train', () => {
  it('lists lessons in the order of the course, with how far one is in them', async () => {
    mkdirSync(join(program.folder, 'recordings'), { recursive: true });
    writeFileSync(join(program.folder, 'recordings/first.lesson.md'), '# The first\n- order: 1\n## a\n');
    writeFileSync(join(program.folder, 'recordings/first.kdbg'), '');
    writeFileSync(lesson('alone'), '# Without a recording\n');
    const { status, stdout, stderr } = await train();
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'first  not begun  The first',
      'small  not begun  what a symbol is',
      '',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    await train('small', '-c', 'lesson next');
    expect((await train()).stdout).toContain('small  step 2 of 3  what a symbol is');
    const { rows } = JSON.parse((await train('--json')).stdout);
    expect(rows[1]).toMatchObject({ lesson: 'small', title: 'A small lesson', steps: 3, state: 'step 2 of 3' });
    rmSync(join(program.folder, 'recordings'), { recursive: true });
    rmSync(lesson('alone'));
  });

  it('goes on where the learner was, whatever was typed in between', async () => {
    const first = await train('small', '-c', 'lesson next; answer fn_0; lesson hint; eval 5');
    expect(first.stdout).toMatch(/Step 2 of 3: Find[\s\S]*No, that is not it\.[\s\S]*Hint: `sym fn_1`/);
    const second = await train('small', '-c', 'lesson; answer 0xffffffff81000080; eval 0x41; lesson list');
    expect(second.stdout).toMatch(
      /Hint: `sym fn_1`[\s\S]*Right\.[\s\S]*decimal: 65[\s\S]*Right\.[\s\S]*all steps are passed/,
    );
    expect((await train()).stdout).toContain('small  finished');
    expect(JSON.parse(readFileSync(kept(), 'utf8')).steps['Find']).toEqual({
      passed: true,
      hints: 1,
      wrong: 1,
      shown: false,
    });
  });

  it('takes a path, and tells what has no lesson', async () => {
    expect(await train('./small.kdbg', '-c', 'lesson')).toMatchObject({ status: 0 });
    expect(await train('./small.lesson.md', '-c', 'lesson')).toMatchObject({ status: 0 });
    expect(await train('smal')).toMatchObject({
      status: 1,
      stderr: 'kdbg: there is no lesson "smal"; did you mean small?; "kdbg train" lists those that there are\n',
    });
    expect((await train('./other.kdbg')).stderr).toContain('there is no ./other.lesson.md');
  });

  it('without a terminal takes lines from a pipe, and shows the step where there are none', async () => {
    const { status, stdout } = await train('small');
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^A small lesson\n\nStep 1 of 3/) });
    const typed = await program.run(['train', 'small'], { input: 'lesson next\nlesson list\n' });
    expect(typed.stdout).toMatch(/Step 1 of 3[\s\S]*Step 2 of 3[\s\S]*1 of 3 steps are passed/);
    const replayed = await program.run(['replay', program.recording]);
    expect(replayed.stdout).not.toContain('Step');
  });

  it('tells the line of what is wrong in a lesson, and shows the others', async () => {
    writeFileSync(lesson('small'), '# a\n## b\n- chek: pid 1\n');
    const { status, stderr } = await train();
    expect(stderr).toContain('small.lesson.md:3: "chek" is no field of a step');
    expect(status).toBe(1);
    expect((await program.run(['replay', program.recording, '-c', 'lesson'])).stderr).toContain(':3: "chek"');
  });

  it('begins anew where the progress is damaged, and goes on where it cannot be kept', async () => {
    await train('small', '-c', 'lesson next');
    writeFileSync(
      kept(),
      '{"lesson":"A small lesson","at":17,"steps":{"Find":{"passed":"x","hints":-4},"__proto__":7}}',
    );
    expect((await train('small', '-c', 'lesson')).stdout).toContain('Step 1 of 3');
    writeFileSync(kept(), '\u0000');
    expect((await train('small', '-c', 'lesson')).stdout).toContain('Step 1 of 3');
    rmSync(join(program.folder, 'home/.local'), { recursive: true });
    writeFileSync(join(program.folder, 'home/.local'), 'no folder');
    const { status, stdout } = await train('small', '-c', 'lesson next');
    expect(stdout).toMatch(/^\(the progress is not kept: cannot make [^\n]*\)\nStep 2 of 3/);
    expect(status).toBe(0);
  });

  it('shows the step first at the prompt, which tells the step', async () => {
    const args = [program.entry, 'train', 'small', '--no-tui'];
    terminal = openPseudoTerminal(process.execPath, args, { cwd: program.folder, env: { ...program.env } });
    await terminal.endsWith('kdbg 1/3>');
    // More often than batches may be under way.
    for (let i = 0; i < 10; i++) {
      terminal.type('lesson goto 1\r');
      await terminal.until((rows) => rows.filter((row) => row === 'kdbg 1/3> lesson goto 1').length > i);
      await terminal.endsWith('kdbg 1/3>');
    }
    terminal.type('lesson next\r');
    await terminal.endsWith('kdbg 2/3>');
    terminal.type('sym fn_1\r');
    await terminal.until((rows) => rows.some((row) => row.startsWith('ffffffff81000080')));
    terminal.type('ffffffff81000080\r');
    await terminal.until((rows) => rows.includes('if that is your answer: answer ffffffff81000080'));
    terminal.type('answer fn_1\r');
    await terminal.endsWith('kdbg 3/3>');
    terminal.type('\u0004');
    expect((await terminal.exited).exitCode).toBe(0);
  });
});

describe('writing a lesson', () => {
  it('leaves the file as it was where it cannot be written', async () => {
    rmSync(lesson('small'));
    writeFileSync(join(program.folder, 'fresh.kdbg'), readFileSync(program.recording));
    const begun = await program.run(['replay', 'fresh.kdbg', '-c', 'lesson start A fresh one; lesson step Look']);
    expect(begun).toMatchObject({ status: 0, stdout: 'fresh.lesson.md: begun\nfresh.lesson.md: Look\n' });
    expect(readFileSync(lesson('fresh'), 'utf8')).toBe('# A fresh one\n\n## Look\n');
    const refused = await program.run(['replay', 'fresh.kdbg', '-c', 'lesson start; lesson check pid x']);
    expect(refused.stderr).toContain('the check "pid" wants a PID, not "x"');
    expect(readFileSync(lesson('fresh'), 'utf8')).toBe('# A fresh one\n\n## Look\n');
    expect(existsSync(`${lesson('fresh')}.new`)).toBe(false);
  });
});
