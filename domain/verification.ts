/** Is the change shown to do what it claims? Decided from exit codes of the test command, never from opinions. */
import type { Category, Evidence, TestRun } from "./run.ts";

export interface VerificationInput {
  category: Category;
  /** The whole test command, each time in a clean sandbox. */
  runs: readonly TestRun[];
  changedTestPaths: readonly string[];
  command: string | null;
}

export interface Verification {
  evidence: Evidence;
  verified: boolean;
  /** For people and for the coder: what was shown, or what is missing and what to do about it. */
  reason: string;
}

/**
 * Which runs are needed next, given those that are done; none when it can be judged. The branch and, where tests changed, the
 * base with the new tests; the plain base only when the branch fails: was it red before?
 */
export function whatToRun(input: Pick<VerificationInput, "command" | "changedTestPaths" | "runs">): TestRun["on"][] {
  const { command, changedTestPaths, runs } = input;
  if (command === null) return [];
  const wanted: TestRun["on"][] = changedTestPaths.length > 0 ? ["branch", "base-with-new-tests"] : ["branch"];
  const branch = runs.find((run) => run.on === "branch");
  if (branch && outcomeOf(branch, command) !== "passed") wanted.push("base");
  return wanted.filter((on) => !runs.some((run) => run.on === on));
}

export function judgeVerification({ category, runs, changedTestPaths, command }: VerificationInput): Verification {
  const evidence: Evidence = { failsOnBase: null, passesOnBranch: null, command, outputs: [...runs] };
  const verdict = (verified: boolean, reason: string): Verification => ({ evidence, verified, reason });
  if (command === null) {
    return verdict(
      false,
      "No test command is known, so nothing could be run. Set test_command in mergewright.yaml, or add one where the repository's tools look for it.",
    );
  }
  const [branch, withTests, base] = (["branch", "base-with-new-tests", "base"] as const).map((on) =>
    runs.find((run) => run.on === on),
  );
  const onBranch = branch ? outcomeOf(branch, command) : "not-run";
  const onBase = withTests ? outcomeOf(withTests, command) : "not-run";
  evidence.passesOnBranch = onBranch === "not-run" || onBranch === "cannot-start" ? null : onBranch === "passed";
  if (changedTestPaths.length > 0)
    evidence.failsOnBase = onBase === "failed" ? true : onBase === "passed" ? false : null;

  if (!branch || onBranch === "not-run") return verdict(false, `\`${command}\` has not been run on the branch.`);
  if (onBranch !== "passed") return verdict(false, branchFailure(branch, onBranch, base, command));
  const passes = `\`${command}\` passes on the branch`;
  if (evidence.failsOnBase === true) return verdict(true, `${passes}, and fails on the base with the new tests.`);
  if (category !== "bug") return verdict(true, `${passes}. ${withoutProof(changedTestPaths, withTests, onBase)}`);

  if (changedTestPaths.length === 0) {
    return verdict(
      false,
      `${passes}, but no test changed: nothing shows that the bug is fixed. Add a test that fails without the fix and passes with it.`,
    );
  }
  if (onBase === "passed") {
    return verdict(
      false,
      `${passes}, but it passes on the base with the new tests too: they do not show the bug, or \`${command}\` does not run them. Change the test (${some(changedTestPaths)}) so that it fails without the fix.`,
    );
  }
  return verdict(
    false,
    `${passes}, but whether the new tests fail on the base is not known: ${noEvidence(withTests, onBase)}`,
  );
}

type RunOutcome =
  | "passed"
  | "failed"
  | "no-tests"
  | "timed-out"
  | "killed"
  | "killed-itself"
  | "cannot-start"
  | "broken"
  | "not-run";

/** What an exit code says. Only `passed` and `failed` are evidence; the rest is trouble with the machinery. */
function outcomeOf(run: TestRun, command: string): RunOutcome {
  const { exitCode } = run;
  if (run.killedItself) return "killed-itself";
  if (exitCode === null) return "timed-out";
  if (exitCode === 0) return ranNothing(run.output) ? "no-tests" : "passed";
  // 126 and 127 are the shell's: not executable, not found.
  if (exitCode === 126 || exitCode === 127) return "cannot-start";
  // 128 + signal: KILL (out of memory), TERM, SEGV, ABRT of the runner itself.
  if (exitCode === 137 || exitCode === 143 || exitCode === 139 || exitCode === 134) return "killed";
  if (/\bpytest\b|\bpy\.test\b/.test(command)) {
    // https://docs.pytest.org/en/stable/reference/exit-codes.html: 3 internal error, 4 usage error, 5 no tests. 2 is also a failed import.
    if (exitCode === 5) return "no-tests";
    if (exitCode === 3 || exitCode === 4) return "broken";
  }
  if (exitCode === 5 && /\bunittest\b/.test(command)) return "no-tests";
  return "failed";
}

/** Runners that end with 0 although there was nothing to run. A sign of any test that ran outweighs it. */
function ranNothing(output: string): boolean {
  const nothing = [
    /^Ran 0 tests\b/m,
    /^(?:#|ℹ) tests 0\b/m,
    /\bno tests (?:ran|found)\b/i,
    /^\s*0 passing\b/m,
    /\bno test files\b/,
    /^running 0 tests\b/m,
    /\bNo test files found\b/i,
  ];
  const something = [
    /^Ran [1-9]\d* tests?\b/m,
    /^(?:#|ℹ) tests [1-9]/m,
    /\b[1-9]\d* (?:passed|passing)\b/,
    /^ok\s+\S+/m,
    /^running [1-9]\d* tests?\b/m,
    /\bTests(?: run)?:\s+[1-9]/,
  ];
  return nothing.some((sign) => sign.test(output)) && !something.some((sign) => sign.test(output));
}

function branchFailure(branch: TestRun, outcome: RunOutcome, base: TestRun | undefined, command: string): string {
  const before = base ? outcomeOf(base, command) : "not-run";
  const history =
    before === "passed"
      ? " It passes on the base, so the change broke it."
      : before === "not-run"
        ? ""
        : " It does not pass on the base either; the change cannot be told apart from what was wrong before.";
  switch (outcome) {
    case "no-tests":
      return `\`${command}\` ran no tests on the branch, which shows nothing. Make sure that it finds them.${history}`;
    case "timed-out":
      return `\`${command}\` did not end by itself on the branch within its time limit. Look for a test or a loop that hangs.${history}`;
    case "killed-itself":
      return `\`${command}\` has no result on the branch: it was tried several times, each in a new sandbox, and each time what runs it was killed while it ran. Look for code or a test that kills processes which it has not started (its parent, \`kill -9 -1\`, killall), or takes all the memory.${history}`;
    case "killed":
      return `\`${command}\` was killed on the branch (exit code ${branch.exitCode}): probably out of memory.${history}`;
    case "cannot-start":
      return `\`${command}\` could not be started on the branch (exit code ${branch.exitCode}): a program is missing in the sandbox. Set test_command, setup_command or the sandbox's image.`;
    case "broken":
      return `\`${command}\` could not run the tests on the branch (exit code ${branch.exitCode}). Look at its output.${history}`;
    case "failed":
    case "passed":
    case "not-run":
      return `\`${command}\` fails on the branch (exit code ${branch.exitCode}). Mend what its output shows.${history}`;
  }
}

/** Beside a bug fix, a green branch is enough; what the new tests add is told all the same. */
function withoutProof(changedTestPaths: readonly string[], withTests: TestRun | undefined, onBase: RunOutcome): string {
  if (changedTestPaths.length === 0) return "No test changed.";
  if (onBase === "passed") return "The new tests pass on the base as well.";
  return `Whether the new tests fail on the base is not known: ${noEvidence(withTests, onBase)}`;
}

function noEvidence(run: TestRun | undefined, outcome: RunOutcome): string {
  switch (outcome) {
    case "timed-out":
      return "the run did not end there within its time limit. Give the new test a short time limit of its own, so that it fails instead of hanging.";
    case "killed-itself":
      return "each run there killed what runs it. Make the new test fail without ending processes that it has not started.";
    case "killed":
      return `the run was killed there (exit code ${run?.exitCode}), probably out of memory. Make the new test fail before it uses so much.`;
    case "cannot-start":
      return `the command could not be started there (exit code ${run?.exitCode}).`;
    case "no-tests":
      return "no tests ran there. Put the new test where the test command finds it.";
    case "broken":
      return `the test runner itself failed there (exit code ${run?.exitCode}).`;
    case "not-run":
    case "passed":
    case "failed":
      return "it has not been run there.";
  }
}

function some(paths: readonly string[]): string {
  return paths.length > 3 ? `${paths.slice(0, 3).join(", ")} and ${paths.length - 3} more` : paths.join(", ");
}
