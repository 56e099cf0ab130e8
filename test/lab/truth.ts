/**
 * What those who plant states in a guest say about them (the module's /proc/kdbg_lab, guest/states.c): one record a line, a
 * kind and then `key=value` pairs. Addresses are bare hex.
 */
export interface TruthRecord {
  readonly kind: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface Truth {
  readonly records: readonly TruthRecord[];
  /** The records of a kind whose fields have the given values. */
  all(kind: string, where?: Readonly<Record<string, string | number>>): readonly Readonly<Record<string, string>>[];
  /** The only such record; throws unless there is exactly one. */
  one(kind: string, where?: Readonly<Record<string, string | number>>): Readonly<Record<string, string>>;
}

export const parseTruth = (text: string): Truth => {
  const records = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): TruthRecord => {
      const [kind, ...pairs] = line.split(/ (?=[a-z_]+=)/);
      return {
        kind: kind!,
        fields: Object.fromEntries(
          pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
        ),
      };
    });
  const all: Truth['all'] = (kind, where = {}) =>
    records
      .filter((record) => record.kind === kind)
      .map((record) => record.fields)
      .filter((fields) => Object.entries(where).every(([key, value]) => fields[key] === `${value}`));
  return {
    records,
    all,
    one: (kind, where = {}) => {
      const found = all(kind, where);
      if (found.length !== 1) throw new Error(`${found.length} records ${kind} ${JSON.stringify(where)}, not one`);
      return found[0]!;
    },
  };
};
