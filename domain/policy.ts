/** The change policy: what a run may not change at all, and what a human must look at first. */
import type { ChangedFile, ChangeSet } from "./change.ts";
import { matchesAny, normalisePath } from "./paths.ts";
import type { RepositorySettings } from "./settings.ts";
import { findWeakenedTests } from "./weakened-tests.ts";

export interface Violation {
  rule: PolicyRule;
  /** The file, or {@link WHOLE}. */
  path: string;
  detail: string;
  severity: "refuse" | "ask-human";
}

export type PolicyRule =
  | "empty"
  | "protected-path"
  | "odd-path"
  | "too-many-files"
  | "too-many-lines"
  | "big-file"
  | "binary"
  | "symlink"
  | "submodule"
  | "odd-mode"
  | "weakened-tests"
  | "controls"
  | "not-all-read";

/** Stands for a path where the change as a whole is meant. */
export const WHOLE = "(the change)";

export interface PolicyVerdict {
  violations: Violation[];
}

export interface PolicyOptions {
  /** An empty diff is fine: for a look at a change that is still in the making. */
  allowEmpty?: boolean;
}

/** Judged on the list of files and the patch; the contents were never run and no path was ever opened. */
export function judgeChange(
  change: ChangeSet,
  policy: RepositorySettings["policy"],
  options: PolicyOptions = {},
): PolicyVerdict {
  const { files } = change;
  const violations: Violation[] = [];
  const add = (severity: Violation["severity"], rule: PolicyRule, path: string, detail: string) =>
    void violations.push({ rule, path, detail, severity });

  if (files.length === 0 && !options.allowEmpty)
    add("refuse", "empty", WHOLE, "the change is empty: no file differs from the base");
  if (files.length > policy.max_files)
    add("refuse", "too-many-files", WHOLE, `${files.length} files change; at most ${policy.max_files} may`);
  const lines = files.reduce((sum, file) => sum + (file.additions ?? 0) + (file.deletions ?? 0), 0);
  if (lines > policy.max_changed_lines)
    add("refuse", "too-many-lines", WHOLE, `${lines} lines change; at most ${policy.max_changed_lines} may`);

  for (const file of files) {
    for (const path of namesOf(file)) {
      if (matchesAny(policy.protected_paths, path))
        add("refuse", "protected-path", path, "this path is protected: a run may not change it");
      else if (isInside(path, ".git")) add("refuse", "protected-path", path, "this is Git's own folder");
      else if (matchesAny(CONTROLS, path))
        add("ask-human", "controls", path, "this file decides what is installed, built or checked");
    }
    const oddity = oddityOf(file.path);
    if (oddity) add("refuse", "odd-path", file.path, oddity);
    judgeKind(file, policy.max_file_bytes, add);
  }
  for (const [path, other] of collisions(files))
    add("refuse", "odd-path", path, `it is the same as ${other} on some file systems`);
  for (const { path, detail } of findWeakenedTests(change)) add("ask-human", "weakened-tests", path, detail);
  if (change.patchTruncated)
    add("ask-human", "not-all-read", WHOLE, "the patch is too long to be read whole: its end was not checked");
  return { violations };
}

/** Both ends of a move: away from a protected path counts as much as onto it. */
function namesOf(file: ChangedFile): string[] {
  return file.oldPath === null || file.oldPath === file.path ? [file.path] : [file.oldPath, file.path];
}

function judgeKind(
  file: ChangedFile,
  maxFileBytes: number,
  add: (severity: Violation["severity"], rule: PolicyRule, path: string, detail: string) => void,
): void {
  const { path, newMode, status } = file;
  // What goes away can do no harm, whatever it was.
  if (status === "deleted" || newMode === "000000") return;
  if (newMode === "120000") return add("refuse", "symlink", path, "a symbolic link, which may point anywhere");
  if (newMode === "160000") return add("refuse", "submodule", path, "a submodule: code from another repository");
  if (newMode !== "100644" && newMode !== "100755")
    add("refuse", "odd-mode", path, `its mode is ${newMode}; only ordinary files are accepted`);
  if (file.newBytes > maxFileBytes)
    add("refuse", "big-file", path, `${file.newBytes} bytes; at most ${maxFileBytes} may be in one file`);
  if (file.additions === null || file.deletions === null)
    add("refuse", "binary", path, "a binary file, which nobody can review");
}

/** Besides the protected paths: a repository may well want these changed, but never unseen. */
const CONTROLS = [
  "**/package.json",
  "**/{package-lock.json,npm-shrinkwrap.json,pnpm-lock.yaml,pnpm-workspace.yaml,yarn.lock,bun.lock,bun.lockb,deno.lock}",
  "**/{poetry.lock,uv.lock,Pipfile.lock,pdm.lock,Cargo.lock,go.sum,Gemfile.lock,composer.lock,gradle.lockfile,packages.lock.json}",
  "**/{.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.cjs,pip.conf,setup.py,build.rs,binding.gyp}",
  "**/{.pre-commit-config.yaml,lefthook.yml,.lefthook.yml,.envrc,.tool-versions,.gitconfig}",
  "{.githooks,.hooks,.vscode,.devcontainer,.idea,.cursor,.circleci,.buildkite,.github}/**",
  "{.gitlab-ci.yml,.travis.yml,azure-pipelines.yml,Jenkinsfile,appveyor.yml,bitbucket-pipelines.yml,.cursorrules}",
  "**/{jest,vitest,vite,karma,playwright,cypress,ava,babel}.config.{js,cjs,mjs,ts,cts,mts,json}",
  "**/{.mocharc.*,.nycrc,.nycrc.json,pytest.ini,tox.ini,noxfile.py,.coveragerc,codecov.yml,.codecov.yml}",
  "**/{gradle,maven}-wrapper.{jar,properties}",
  "{mergewright.yaml,mergewright.yml}",
];

function isInside(path: string, folder: string): boolean {
  return normalisePath(path).split("/").includes(folder);
}

/** Git's tree limit is 4,096 bytes for a path, most file systems' 255 for a name. */
const MAX_NAME = 255;

function oddityOf(path: string): string | null {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path)) return "its name holds control characters";
  if (/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]/u.test(path))
    return "its name holds invisible characters";
  if (path.includes("\\")) return "its name holds a backslash, which separates folders elsewhere";
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    return "its path has an empty, `.` or `..` part";
  if (parts.some((part) => /^ |[. ]$/.test(part)))
    return "a name in its path begins with a space, or ends with a space or a dot";
  if (parts.some((part) => part.length > MAX_NAME) || path.length > 16 * MAX_NAME) return "its name is too long";
  return null;
}

/** Two files that are one on a file system that folds case or forms. */
function collisions(files: readonly ChangedFile[]): [string, string][] {
  const seen = new Map<string, string>();
  const found: [string, string][] = [];
  for (const { path, status } of files) {
    if (status === "deleted") continue;
    const key = normalisePath(path);
    const other = seen.get(key);
    if (other === undefined) seen.set(key, path);
    else found.push([path, other]);
  }
  return found;
}
