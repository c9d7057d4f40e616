/** The files of a commit by their names: what a text or an earlier commit calls a file, and which one that is now. */
import { kindOf, type FileKind } from "./file-kind.ts";

export interface Files {
  /** The file that a group of the store is of, or speaks of; null where the commit has none, as after a write that was cut off. */
  ofGroup(group: string): File | null;
  /** The file as it is called now: moved ones are known by their name, if only one has it. */
  present(path: string): File | null;
  /** By the last part of the path. */
  named(name: string): readonly File[];
  /** By the name without its ending, lower case, letters and digits only. */
  sourcesOf(stem: string): readonly File[];
}

export interface File {
  readonly path: string;
  readonly kind: FileKind;
}

/** @param groups names of groups, as the store tells them. What only some searches ask for is made when one does. */
export function filesOf(groups: Iterable<string>): Files {
  const byPath = new Map<string, File>();
  for (const group of groups) {
    const file = new KnownFile(afterPrefix(group));
    byPath.set(file.path, file);
  }
  const byName = once(() => listed(byPath, nameOf));
  const byStem = once(() => listed(byPath, (path) => stemOf(nameOf(path))));
  const named = (name: string): readonly File[] => byName().get(name) ?? [];
  return {
    ofGroup: remembered((group) => byPath.get(afterPrefix(group)) ?? null),
    present: remembered((path) => {
      const file = byPath.get(path);
      if (file !== undefined) return file;
      const same = named(nameOf(path));
      return same.length === 1 ? same[0]! : null;
    }),
    named,
    sourcesOf: (stem) => (byStem().get(stem) ?? []).filter(({ kind }) => kind === "source"),
  };
}

class KnownFile implements File {
  readonly path: string;
  #kind: FileKind | undefined;
  constructor(path: string) {
    this.path = path;
  }
  get kind(): FileKind {
    return (this.#kind ??= kindOf(this.path));
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The store's strings are the same ones each time, and looking one up that is known costs nearly nothing. */
function remembered(find: (text: string) => File | null): (text: string) => File | null {
  const known = new Map<string, File | null>();
  return (text) => {
    let found = known.get(text);
    if (found === undefined) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(text, (found = find(text)));
    }
    return found;
  };
}

/** As many as a large repository has files, and its history names of old ones. */
const MAX_REMEMBERED = 200_000;

function listed(files: ReadonlyMap<string, File>, keyOf: (path: string) => string): Map<string, File[]> {
  const lists = new Map<string, File[]>();
  for (const file of files.values()) {
    const key = keyOf(file.path);
    const list = lists.get(key);
    if (list) list.push(file);
    else lists.set(key, [file]);
  }
  return lists;
}

/**
 * Files that a path or a dotted name may mean; the last parts of `a.b.C.method` may be a class and a method, so they are dropped one
 * after another until something fits.
 */
export function meant(path: string, files: Files): readonly File[] {
  const parts = path.split("/");
  for (let count = parts.length; count > 0; count--) {
    const found = meantExactly(parts.slice(0, count), count < parts.length, files);
    if (found.length > 0) return found;
  }
  return [];
}

function meantExactly(parts: readonly string[], shortened: boolean, files: Files): readonly File[] {
  const last = parts.at(-1)!;
  const hasEnding = last.includes(".");
  if (parts.length === 1) return hasEnding && !shortened ? files.named(last) : [];
  const exact = files.named(last);
  const named = exact.length > 0 ? exact : files.sourcesOf(stemOf(last));
  const folder = parts.at(-2)!.toLowerCase();
  const told = named.filter(({ path }) => path.toLowerCase().split("/").at(-2) === folder);
  return told.length > 0 ? told : hasEnding ? named : [];
}

function afterPrefix(group: string): string {
  return group.slice(group.indexOf(":") + 1);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function stemOf(name: string): string {
  return name
    .replace(/\.\w+$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
}
