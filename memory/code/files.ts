/** The files of a commit by their names: what a text or an earlier commit calls a file, and which one that is now. */
import { filePrefix } from "./document.ts";
import { kindOf } from "./file-kind.ts";

export interface Files {
  paths: ReadonlySet<string>;
  /** Name without its ending, lower case, letters and digits only -> sources. */
  byStem: ReadonlyMap<string, readonly string[]>;
  /** Last part of the path -> paths. */
  byName: ReadonlyMap<string, readonly string[]>;
}

/** @param groups names of groups, as the store tells them */
export function filesOf(groups: Iterable<string>): Files {
  const paths = new Set<string>();
  const byStem = new Map<string, string[]>();
  const byName = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, key: string, path: string): void => {
    const list = map.get(key);
    if (list) list.push(path);
    else map.set(key, [path]);
  };
  for (const group of groups) {
    const path = group.slice(filePrefix.length);
    const name = nameOf(path);
    paths.add(path);
    add(byName, name, path);
    if (kindOf(path) === "source") add(byStem, stemOf(name), path);
  }
  return { paths, byStem, byName };
}

/** The file as it is called now: moved ones are known by their name, if only one has it. */
export function present(path: string, { paths, byName }: Files): string | null {
  if (paths.has(path)) return path;
  const same = byName.get(nameOf(path)) ?? [];
  return same.length === 1 ? same[0]! : null;
}

/**
 * Files that a path or a dotted name may mean; the last parts of `a.b.C.method` may be a class and a method, so they are dropped one
 * after another until something fits.
 */
export function meant(path: string, files: Files): readonly string[] {
  const parts = path.split("/");
  for (let count = parts.length; count > 0; count--) {
    const found = meantExactly(parts.slice(0, count), count < parts.length, files);
    if (found.length > 0) return found;
  }
  return [];
}

function meantExactly(parts: readonly string[], shortened: boolean, { byName, byStem }: Files): readonly string[] {
  const last = parts.at(-1)!;
  const hasEnding = last.includes(".");
  if (parts.length === 1) return hasEnding && !shortened ? (byName.get(last) ?? []) : [];
  const exact = byName.get(last) ?? [];
  const named = exact.length > 0 ? exact : (byStem.get(stemOf(last)) ?? []);
  const folder = parts.at(-2)!.toLowerCase();
  const told = named.filter((path) => path.toLowerCase().split("/").at(-2) === folder);
  return told.length > 0 ? told : hasEnding ? named : [];
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
