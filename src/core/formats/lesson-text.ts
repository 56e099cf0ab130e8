/**
 * Reads the file of a lesson: Markdown of a form that docs/lessons.md describes. It is written by hand and may come
 * with a recording from anywhere: everything in it is bounded, and what is wrong is told with its line.
 */
import { DataError, UsageError } from '../errors.ts';
import { type Check, LESSON_LIMITS, type Lesson, type LessonStep, type Prose } from './lesson.ts';
import { parseChecks } from './lesson-check.ts';

/** A field as it stands in the file: `- key: value`, continued by indented lines. */
interface Field {
  readonly key: string;
  value: string;
  /** 0-based. */
  readonly line: number;
}

/** What stands before the first step, or from one step's heading to the next. */
interface Section {
  readonly title: string;
  readonly heading: number;
  readonly prose: Prose[];
  readonly fields: Field[];
  end: number;
}

const LESSON_FIELDS: readonly string[] = ['order', 'about'];
/** Fields that a step has once. */
export const STEP_FIELDS_ONCE: readonly string[] = ['task', 'check', 'reason'];
/** Fields that it may have several times. */
export const STEP_FIELDS_SEVERAL: readonly string[] = ['option', 'wrong', 'hint', 'expert'];

/** Reads a lesson; `name` is what errors call the file. Throws DataError, with the number of the line. */
export function parseLesson(text: string, name: string): Lesson {
  if (text.length > LESSON_LIMITS.bytes) {
    throw new DataError(`${name} is too large for a lesson (${LESSON_LIMITS.bytes >> 10} KiB at most)`);
  }
  const fail: Fail = (line, message) => new DataError(`${name}:${line + 1}: ${message}`);
  const [first, ...rest] = new Sections(fail).read(text.split(/\r?\n/));
  if (first === undefined) throw new DataError(`${name} is no lesson: it has no title ("# TITLE")`);
  const titles = new Map<string, number>();
  for (const { title, heading } of rest) {
    const before = titles.get(title);
    if (before !== undefined) throw fail(heading, `a step with this title begins in line ${before + 1} already`);
    titles.set(title, heading);
  }
  const { order, about } = lessonFields(first, fail);
  return {
    title: first.title,
    about,
    order,
    introduction: first.prose,
    steps: rest.map((section) => stepOf(section, fail)),
  };
}

type Fail = (line: number, message: string) => DataError;

/** Splits the lines into sections with their prose and fields. */
class Sections {
  readonly #fail: Fail;
  readonly #sections: Section[] = [];
  /** What the next line may go on with. */
  #field: Field | undefined;
  #paragraph: { kind: 'paragraph' | 'item'; text: string } | undefined;
  #literal: string[] | undefined;
  #isRemark = false;
  #isFenced = false;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  read(lines: readonly string[]): readonly Section[] {
    for (const [at, line] of lines.entries()) {
      if (line.length > LESSON_LIMITS.characters) throw this.#fail(at, 'this line is too long');
      this.#take(line, at);
      const section = this.#sections.at(-1);
      if (section !== undefined && line.trim() !== '') section.end = at + 1;
    }
    return this.#sections;
  }

  #take(line: string, at: number): void {
    if (this.#isRemark || (!this.#isFenced && line.startsWith('<!--'))) {
      this.#isRemark = !line.includes('-->');
      return;
    }
    if (line.trimEnd().startsWith('```') && this.#sections.length > 0) {
      this.#pause();
      this.#isFenced = !this.#isFenced;
      return;
    }
    if (this.#isFenced) {
      this.#literally(line);
      return;
    }
    if (line.trim() === '') {
      // A blank line within lines that are shown as they are belongs to them if more follow.
      if (this.#literal !== undefined) this.#literal.push('');
      this.#field = this.#paragraph = undefined;
      return;
    }
    const heading = /^(#+)\s+(.*?)\s*$/.exec(line);
    if (heading !== null) {
      this.#begin(heading[1] as string, heading[2] as string, at);
      return;
    }
    const section = this.#sections.at(-1);
    if (section === undefined) throw this.#fail(at, 'a lesson begins with its title: "# TITLE"');
    const field = /^- ([A-Za-z]+):(?:\s+(.*))?$/.exec(line);
    if (field !== null) {
      this.#pause();
      this.#field = { key: (field[1] as string).toLowerCase(), value: (field[2] ?? '').trim(), line: at };
      section.fields.push(this.#field);
    } else if (this.#field !== undefined && /^ {2}/.test(line)) this.#continueField(line, at);
    else if (/^(?: {4}|\t)/.test(line) && this.#paragraph === undefined) {
      this.#literally(line.replace(/^(?: {4}|\t)/, ''));
    } else this.#prose(section, line);
  }

  #begin(marks: string, title: string, at: number): void {
    if (marks.length > 2) throw this.#fail(at, 'a lesson has a title (#) and steps (##), and no deeper headings');
    if (marks.length === 1 && this.#sections.length > 0)
      throw this.#fail(at, 'a lesson has one title; steps are "## "');
    if (marks.length === 2 && this.#sections.length === 0)
      throw this.#fail(at, 'a lesson begins with its title: "# TITLE"');
    if (title === '') throw this.#fail(at, 'the title is missing');
    if (this.#sections.length > LESSON_LIMITS.steps) throw this.#fail(at, `more than ${LESSON_LIMITS.steps} steps`);
    this.#pause();
    this.#sections.push({ title, heading: at, prose: [], fields: [], end: at + 1 });
  }

  #continueField(line: string, at: number): void {
    const field = this.#field as Field;
    field.value = `${field.value} ${line.trim()}`.trim();
    if (field.value.length > LESSON_LIMITS.characters) throw this.#fail(at, `"${field.key}" is too long`);
  }

  #prose(section: Section, line: string): void {
    this.#literal = this.#field = undefined;
    const item = /^[-*] +(.*)$/.exec(line);
    if (item !== null || this.#paragraph === undefined) {
      this.#paragraph = { kind: item === null ? 'paragraph' : 'item', text: (item?.[1] ?? line).trim() };
      section.prose.push(this.#paragraph);
    } else this.#paragraph.text += ` ${line.trim()}`;
  }

  #literally(line: string): void {
    this.#field = this.#paragraph = undefined;
    if (this.#literal === undefined) {
      this.#literal = [];
      this.#sections.at(-1)?.prose.push({ kind: 'literal', lines: this.#literal });
    }
    this.#literal.push(line);
  }

  #pause(): void {
    this.#field = this.#paragraph = this.#literal = undefined;
  }
}

function lessonFields({ fields }: Section, fail: Fail): Pick<Lesson, 'order' | 'about'> {
  const taken = takeFields(
    fields,
    { once: LESSON_FIELDS, several: [], of: 'a lesson (the first step begins with "## ")' },
    fail,
  );
  const order = taken.one('order');
  if (order !== undefined && !/^\d{1,6}$/.test(order.value))
    throw fail(order.line, `"${order.value}" is no order: a number`);
  return { order: order && Number(order.value), about: taken.one('about')?.value };
}

function stepOf(section: Section, fail: Fail): LessonStep {
  const { title, prose, fields, heading, end } = section;
  const taken = takeFields(fields, { once: STEP_FIELDS_ONCE, several: STEP_FIELDS_SEVERAL, of: 'a step' }, fail);
  const check = taken.one('check');
  const options = taken.all('option').map((field) => optionOf(field, fail));
  const checks = check === undefined ? [] : checksOf(check.value, check, fail);
  for (const each of checks) {
    if (each.kind === 'choice' && !options.some(({ letter }) => letter === each.letter)) {
      throw fail((check as Field).line, `the step has no option "${each.letter}"`);
    }
  }
  return {
    title,
    prose,
    task: taken.one('task')?.value,
    checks,
    options,
    wrong: taken.all('wrong').map((field) => wrongOf(field, fail)),
    hints: taken.all('hint').map(({ value }) => value),
    expert: taken.all('expert').map(({ value }) => value.replace(/^`(.*)`$/, '$1')),
    reason: taken.one('reason')?.value,
    lines: { heading, fields: fields[0]?.line ?? end, end },
  };
}

interface Taken {
  one(key: string): Field | undefined;
  all(key: string): readonly Field[];
}

function takeFields(
  fields: readonly Field[],
  known: { readonly once: readonly string[]; readonly several: readonly string[]; readonly of: string },
  fail: Fail,
): Taken {
  const all = (key: string): readonly Field[] => fields.filter((field) => field.key === key);
  const seen = new Set<string>();
  for (const { key, line, value } of fields) {
    const isOnce = known.once.includes(key);
    if (!isOnce && !known.several.includes(key)) {
      throw fail(line, `"${key}" is no field of ${known.of}: ${[...known.once, ...known.several].join(', ')}`);
    }
    if (isOnce && seen.has(key)) throw fail(line, `"${key}" stands here twice`);
    if (value === '') throw fail(line, `"${key}" is empty`);
    seen.add(key);
    if (all(key).length > LESSON_LIMITS.ofAField)
      throw fail(line, `more than ${LESSON_LIMITS.ofAField} times "${key}"`);
  }
  return { all, one: (key) => all(key)[0] };
}

function optionOf({ value, line }: Field, fail: Fail): LessonStep['options'][number] {
  const [, letter, text] = /^([a-z])\s*=>\s*(\S.*)$/.exec(value) ?? [];
  if (letter === undefined || text === undefined) throw fail(line, 'an option is a letter and a text: "a => TEXT"');
  return { letter, text };
}

function wrongOf(field: Field, fail: Fail): LessonStep['wrong'][number] {
  const [, check, say] = /^(.*?\S)\s*=>\s*(\S.*)$/.exec(field.value) ?? [];
  if (check === undefined || say === undefined)
    throw fail(field.line, '"wrong" is a check and what to say: "pid 1 => TEXT"');
  return { checks: checksOf(check, field, fail), say };
}

function checksOf(text: string, { line }: Field, fail: Fail): readonly Check[] {
  try {
    return parseChecks(text);
  } catch (error) {
    throw error instanceof UsageError ? fail(line, error.message) : error;
  }
}
