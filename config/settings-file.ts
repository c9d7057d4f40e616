/** `mergewright.yaml`: read, checked against the schema, with the settings of single repositories worked out. */
import { resolve } from "node:path";
import { z } from "zod";
import { RepositorySettings } from "../domain/settings.ts";
import { mergeSettings, withoutEmptySections } from "./merge.ts";
import { guideOf, type Guide } from "./problems.ts";
import { SettingsFile } from "./schema.ts";
import type { Findings } from "./tenants.ts";
import { readYamlFile, type Path, type YamlFile } from "./yaml-file.ts";

export const DEFAULT_FILE = "mergewright.yaml";

export interface ReadSettings {
  /** Absolute; null where there is none. */
  path: string | null;
  settings: SettingsFile;
  /** By repository in lower case: its settings over those of all. */
  byRepository: Map<string, { name: string; settings: RepositorySettings }>;
  findings: Findings;
}

type Section = Record<string, unknown>;

/** `named` is the file that was asked for; without it a missing file means "everything as by default". */
export function readSettings(named: string | null, cwd: string, problems: string[], warnings: string[]): ReadSettings {
  const name = named ?? DEFAULT_FILE;
  const path = resolve(cwd, name);
  const yaml = open(path, name, named !== null, problems);
  const where = (at: Path) => `${yaml?.locate(at) ?? name}: ${at.map(String).join(".")}`;
  const findings: Findings = {
    problem: (at, text) => void problems.push(`${where(at)}: ${text}`),
    warning: (at, text) => void warnings.push(`${where(at)}: ${text}`),
  };
  const raw = withoutEmptyParts(yaml?.value ?? {});
  const { raw: sound, settings } = check(SettingsFile, raw, GUIDE, [], findings);
  return {
    path: yaml ? path : null,
    settings: settings ?? SettingsFile.parse({}),
    byRepository: readRepositories(sound, findings),
    findings,
  };
}

const GUIDE = guideOf(SettingsFile);
const REPOSITORY_GUIDE = guideOf(RepositorySettings);
const SHAPE = RepositorySettings.shape as Record<string, z.ZodType>;

function open(path: string, name: string, asked: boolean, problems: string[]): YamlFile | null {
  try {
    const read = readYamlFile(path, name);
    if (read.kind === "read") return read.file;
    problems.push(...read.problems);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOENT")
      problems.push(
        `${name}: it cannot be read (${code ?? String(error)}). Correct its permissions, or MERGEWRIGHT_CONFIG.`,
      );
    else if (asked)
      problems.push(
        `MERGEWRIGHT_CONFIG: there is no file ${name}. Correct the path, or make the file with \`mergewright init\`.`,
      );
  }
  return null;
}

/**
 * Parses, and tells each problem at its place. What is wrong is left out of the result, so that what depends on the
 * rest can be checked too and everything is told at once.
 */
function check<T>(
  schema: z.ZodType<T>,
  value: Section,
  guide: Guide,
  under: Path,
  findings: Findings,
): { raw: Section; settings: T | null } {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { raw: value, settings: parsed.data };
  let rest = value;
  for (const issue of parsed.error.issues) {
    for (const { path, text } of guide.explain(issue, value)) {
      findings.problem([...under, ...path], text);
      rest = without(rest, path.slice(0, 2));
    }
  }
  return { raw: rest, settings: schema.safeParse(rest).data ?? null };
}

function readRepositories(raw: Section, findings: Findings): ReadSettings["byRepository"] {
  const byRepository: ReadSettings["byRepository"] = new Map();
  const repositories = raw.repositories;
  if (!isSection(repositories)) return byRepository;
  const global = Object.fromEntries(Object.entries(raw).filter(([key]) => Object.hasOwn(SHAPE, key)));
  for (const [name, own] of Object.entries(repositories)) {
    if (!isSection(own)) continue;
    const at = ["repositories", name];
    if (byRepository.has(name.toLowerCase()))
      findings.problem(
        at,
        `${name} is there twice: GitHub does not tell upper and lower case apart. Keep one of them.`,
      );
    const elsewhere = Object.keys(own).filter(
      (key) => Object.hasOwn(SettingsFile.shape, key) && !Object.hasOwn(SHAPE, key),
    );
    for (const key of elsewhere)
      findings.problem([...at, key], "it holds for all repositories. Move it to the top level.");
    const rest = Object.fromEntries(Object.entries(own).filter(([key]) => !elsewhere.includes(key)));
    const merged = mergeSettings(global, rest) as Section;
    const { settings } = check(RepositorySettings, merged, REPOSITORY_GUIDE, at, findings);
    if (settings) byRepository.set(name.toLowerCase(), { name, settings });
  }
  return byRepository;
}

/** Every setting that holds others. */
const SECTIONS: ReadonlySet<string> = new Set(
  Object.entries(SettingsFile.parse({})).flatMap(([name, value]) => (isSection(value) ? [name] : [])),
);

/** A section, a tenant or a repository of which everything is commented out. */
function withoutEmptyParts(raw: Section): Section {
  const value = withoutEmptySections(raw, SECTIONS) as Section;
  for (const part of ["tenants", "repositories"]) {
    const entries = value[part];
    if (!isSection(entries)) continue;
    value[part] = Object.fromEntries(
      Object.entries(entries).map(([name, own]) => [name, withoutEmptySections(own ?? {}, SECTIONS)]),
    );
  }
  return value;
}

function without(value: Section, path: Path): Section {
  const [key, inner] = path.map(String);
  const nested = key === undefined ? undefined : value[key];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== key || (inner !== undefined && isSection(nested)))
      .map(([name, part]) => [
        name,
        name === key && inner !== undefined && isSection(part) ? without(part, [inner]) : part,
      ]),
  );
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
