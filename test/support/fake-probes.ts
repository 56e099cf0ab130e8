/**
 * The dynamic events of a fake tracefs: one list for everybody, an event of each in every directory, and the kernel's
 * refusals: a definition that is none, an event that somebody has enabled.
 */
const DEFINITION = /^([prft]\d*):(\w+)\/(\w+) (\S+)( \w+=[^\s:]+:[\w@/[\]]+)*$/;

export class FakeProbes {
  readonly #root: string;
  readonly #files: Map<string, string>;
  /** The directories that have events. */
  readonly #directories: () => readonly string[];
  /** Places where no probe can be, each with what the error log says of it. */
  readonly refused = new Map<string, string>();

  constructor(root: string, files: Map<string, string>, directories: () => readonly string[]) {
    this.#root = root;
    this.#files = files;
    this.#directories = directories;
  }

  get definitions(): readonly string[] {
    return (this.#files.get(`${this.#root}/dynamic_events`) ?? '').split('\n').filter((line) => line !== '');
  }

  /** What a line that is written to dynamic_events does; the error that the write ends with, if any. */
  write(line: string): 'EINVAL' | 'ENOENT' | 'EBUSY' | 'EEXIST' | undefined {
    const removed = /^-:(\w+)\/(\w+)$/.exec(line);
    if (removed !== null) return this.#remove(`${removed[1]}/${removed[2]}`);
    const match = DEFINITION.exec(line);
    if (match === null) return 'EINVAL';
    const [, , group, name, place = ''] = match;
    const reason = this.refused.get(place);
    if (reason !== undefined) {
      const caret = ' '.repeat('  Command: '.length + line.indexOf(` ${place}`) + 1);
      this.#append('error_log', `[    5.348351] trace_kprobe: error: ${reason}\n  Command: ${line}\n${caret}^\n`);
      return 'EINVAL';
    }
    if (this.definitions.some((each) => each.includes(`:${group}/${name} `))) return 'EEXIST';
    this.#append('dynamic_events', `${line}\n`);
    for (const directory of this.#directories()) this.fill(directory);
    return undefined;
  }

  /** The events' files in a directory that is new. */
  fill(directory: string): void {
    for (const line of this.definitions) {
      const [, , group, name] = DEFINITION.exec(line) as unknown as readonly string[];
      const files = {
        [`${group}/enable`]: '0\n',
        [`${group}/${name}/enable`]: '0\n',
        [`${group}/${name}/filter`]: 'none\n',
      };
      for (const [path, text] of Object.entries(files)) {
        const file = `${directory}/events/${path}`;
        if (!this.#files.has(file)) this.#files.set(file, text);
      }
    }
  }

  /** `events/GROUP/enable` is that of all its events. */
  enableGroup(directory: string, group: string, text: string): void {
    const event = new RegExp(`^${directory}/events/${group}/\\w+/enable$`);
    for (const file of this.#files.keys()) if (event.test(file)) this.#files.set(file, `${text}\n`);
  }

  #remove(path: string): 'ENOENT' | 'EBUSY' | undefined {
    const left = this.definitions.filter((line) => !line.includes(`:${path} `));
    if (left.length === this.definitions.length) return 'ENOENT';
    const own = [...this.#files].filter(([file]) => file.includes(`/events/${path}/`));
    if (own.some(([file, text]) => file.endsWith('/enable') && text === '1\n')) return 'EBUSY';
    for (const [file] of own) this.#files.delete(file);
    this.#files.set(`${this.#root}/dynamic_events`, left.map((line) => `${line}\n`).join(''));
    const group = path.split('/')[0] as string;
    if (left.some((line) => line.includes(`:${group}/`))) return undefined;
    for (const file of [...this.#files.keys()]) if (file.endsWith(`/events/${group}/enable`)) this.#files.delete(file);
    return undefined;
  }

  #append(name: string, text: string): void {
    const path = `${this.#root}/${name}`;
    this.#files.set(path, `${this.#files.get(path) ?? ''}${text}`);
  }
}
