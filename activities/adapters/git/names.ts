/** Names that come from outside, checked before git sees them. `--` stands before arguments as well; this is the first line. */
import { RequestRefused } from "../../../domain/errors.ts";
import { isRepositoryName } from "../../../domain/ids.ts";

/** The ref under which a commit that a run needs is kept from `git gc`. */
export function keptRef(commit: string): string {
  return `refs/mergewright/taken/${commit}`;
}

/** @throws RequestRefused unless it is a full SHA-1 in lower case: no ref name, no option, no expression. */
export function checkCommit(commit: string, what: string): string {
  if (!/^[0-9a-f]{40}$/.test(commit))
    throw new RequestRefused(
      "git",
      422,
      `${what} must be a full commit id of 40 hexadecimal digits, not ${JSON.stringify(commit)}.`,
    );
  return commit;
}

/** The rules of `git check-ref-format --branch`, and no name that looks like an option. */
export function checkBranch(branch: string): string {
  const bad =
    branch === "" ||
    branch.length > 200 ||
    branch.startsWith("-") ||
    branch === "@" ||
    branch === "HEAD" ||
    // oxlint-disable-next-line no-control-regex -- control characters are what is refused
    /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$/.test(branch) ||
    branch
      .split("/")
      .some((part) => part.startsWith(".") || part.startsWith("-") || part.toLowerCase().endsWith(".lock"));
  if (bad) throw new RequestRefused("git", 422, `${JSON.stringify(branch)} is not an acceptable branch name.`);
  return branch;
}

/** `owner/name.git`, in lower case: one mirror however the name is spelled. */
export function mirrorFolder(repository: string): string {
  if (!isRepositoryName(repository))
    throw new RequestRefused("git", 422, `${JSON.stringify(repository)} is not a repository name: write OWNER/NAME.`);
  return `${repository.toLowerCase()}.git`;
}
