/** `mergewright doctor`: looks at every outside part at once, and says how to mend what is wrong. */
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/config.ts";
import { isRepositoryName } from "../domain/ids.ts";
import { createRedactor, redactDeep } from "../workers/redact.ts";
import { checkArtifacts } from "./checks/artifacts.ts";
import { checkClaude } from "./checks/claude.ts";
import { checkDocker } from "./checks/docker.ts";
import { limited, type Check, type Finding } from "./checks/finding.ts";
import { checkAccounts, checkClock } from "./checks/github.ts";
import { checkGit, checkHome, checkNode } from "./checks/machine.ts";
import { checkMemory } from "./checks/memory.ts";
import { checkTemporal } from "./checks/temporal.ts";
import { checkVersions } from "./checks/versions.ts";
import { command, jsonOption } from "./command.ts";
import { DONE, FAILED, UsageError } from "./errors.ts";
import { plain, type Terminal } from "./terminal.ts";

/** The slowest honest one makes a sandbox. */
const TIMEOUT_MS = 30_000;

export default command({
  args: {
    repo: {
      type: "string",
      valueHint: "OWNER/REPO",
      description: "Check the permissions in this repository; by default those of mergewright.yaml",
    },
    json: jsonOption,
  },
  async run(args, terminal) {
    const repository = args.repo ?? null;
    if (repository !== null && !isRepositoryName(repository))
      throw new UsageError(`--repo "${repository.slice(0, 80)}" is not a repository. Write OWNER/REPO.`, "doctor");
    const config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
    const found = await examine(config, repository);
    const findings = redactDeep(found, createRedactor(config.secrets())) as Finding[];
    const failed = findings.some(({ state }) => state === "fail");
    if (args.json) terminal.document({ ok: !failed, findings, warnings: config.warnings });
    else show(findings, config.warnings, terminal);
    return failed ? FAILED : DONE;
  },
});

async function examine(config: Config, repository: string | null): Promise<Finding[]> {
  const checks: [string, Check][] = [
    ["Node", () => checkNode()],
    ["Git", () => checkGit(config.hostEnvironment)],
    ["State directory", () => checkHome(config)],
    ["Artifacts", () => checkArtifacts(config)],
    ["Temporal", () => checkTemporal(config)],
    ["Runs under way", () => checkVersions(config)],
    ["Docker", () => checkDocker(config)],
    ["Claude", () => checkClaude(config)],
    ["GitHub", () => checkAccounts(config, repository)],
    ["Clock", () => checkClock(config)],
    ["Memory", () => checkMemory(config)],
  ];
  return (await Promise.all(checks.map(([name, check]) => limited(name, check, TIMEOUT_MS)))).flat();
}

function show(findings: readonly Finding[], warnings: readonly string[], terminal: Terminal): void {
  const marks = {
    ok: terminal.style("green", "ok  "),
    warn: terminal.style("yellow", "warn"),
    fail: terminal.style("red", "FAIL"),
  };
  const width = Math.max(...findings.map(({ name }) => name.length));
  const indent = " ".repeat(width + 8);
  for (const { name, state, what, mend } of findings) {
    terminal.out(`${marks[state]}  ${plain(name).padEnd(width)}  ${plain(what)}`);
    if (mend !== null && state !== "ok") terminal.out(`${indent}${terminal.style("dim", plain(mend))}`);
  }
  for (const warning of warnings) terminal.out(`${marks.warn}  ${warning}`);
  const count = (state: Finding["state"]) => findings.filter((finding) => finding.state === state).length;
  terminal.out("");
  terminal.out(
    count("fail") > 0
      ? `${count("fail")} to mend before a run can succeed.`
      : `Everything that a run needs is there${count("warn") > 0 ? `, ${count("warn")} to look at` : ""}.`,
  );
}
