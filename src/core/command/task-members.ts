/**
 * Members of a task as `task` takes them: of task_struct or of thread_info, several after commas.
 */
import { NotFoundError } from '../errors.ts';
import { findMember } from '../types/member-path.ts';
import { type CType, resolve } from '../types/type.ts';
import type { Kind } from './define.ts';
import type { Scope } from './scope.ts';
import { typeWithMembers } from './target-kinds.ts';
import { type TaskSelector, taskSelector } from './task-kinds.ts';

/** One member, and the structure that has it. */
export interface TaskMember {
  readonly structure: 'task_struct' | 'thread_info';
  readonly path: string;
}

/** `pid,comm,thread.sp`. Throws NotFoundError for a name that neither structure has. */
export const taskMembers: Kind<readonly TaskMember[]> = {
  name: 'members',
  parse: (text, scope) => text.split(',').map((path) => memberOf(path.trim(), scope)),
  complete(text, scope) {
    const prefix = 'task_struct.';
    const found = typeWithMembers.complete?.(`${prefix}${text}`, scope) ?? { candidates: [] };
    return { ...found, start: Math.max((found.start ?? prefix.length) - prefix.length, 0) };
  },
};

export type TaskOrMembers =
  | { readonly kind: 'members'; readonly members: readonly TaskMember[] }
  | { readonly kind: 'selector'; readonly selector: TaskSelector };

/** What may stand among the operands of `task`: tasks, and members without -R. A name that is both is a member. */
export const taskOrMembers: Kind<TaskOrMembers> = {
  name: 'task or members',
  keepsQuotes: true,
  parse(text, scope) {
    const isMember = (path: string) => structureOf(path.trim(), scope) !== undefined;
    if (/^[A-Za-z_]/.test(text) && text.split(',').some(isMember)) {
      return { kind: 'members', members: taskMembers.parse(text, scope) };
    }
    return { kind: 'selector', selector: taskSelector.parse(text, scope) };
  },
  complete(text, scope) {
    const tasks = taskSelector.complete?.(text, scope).candidates ?? [];
    const members = /[.,]/.test(text) ? undefined : taskMembers.complete?.(text, scope);
    return { candidates: [...tasks, ...(members?.candidates ?? [])] };
  },
};

/** The structure's type. Throws NotFoundError. */
export function taskStructure(scope: Scope, name: TaskMember['structure']): CType {
  const type = scope.kernel.types.find('struct', name);
  if (type === undefined) throw new NotFoundError('type', `struct ${name}`);
  return type;
}

function memberOf(path: string, scope: Scope): TaskMember {
  const structure = structureOf(path, scope);
  if (structure !== undefined) return { structure, path };
  throw new NotFoundError('member', path, nearMembers(path, scope), 'in struct task_struct or thread_info');
}

function structureOf(path: string, scope: Scope): TaskMember['structure'] | undefined {
  const structures = ['task_struct', 'thread_info'] as const;
  return structures.find((name) => findMember(taskStructure(scope, name), path) !== undefined);
}

function nearMembers(path: string, scope: Scope): readonly string[] {
  const type = resolve(taskStructure(scope, 'task_struct'));
  const names = type.kind === 'struct' ? type.members.flatMap(({ name }) => name ?? []) : [];
  return names.filter((name) => name.includes(path) || path.includes(name)).slice(0, 5);
}
