/** What a run stands on: the issue as it was at the trigger, the repository, the base commit and its test command. */
import { addUp, cleanLine, cleanMarkdown } from "../agents/untrusted.ts";
import { RequestRefused } from "../domain/errors.ts";
import { runPrefix } from "../domain/ids.ts";
import type { InstructionFile } from "../domain/brief.ts";
import type { Artifacts, Forge, Mirror } from "../domain/ports.ts";
import type { IssueSnapshot } from "../domain/run.ts";
import { detectTestCommand } from "../domain/test-command.ts";
import { findJson, type Installation, putJson, putRunNote } from "./artifacts.ts";
import { readableChecks } from "./checks.ts";
import { keepCommit } from "./commits.ts";
import type { Activities, RunRef } from "./contract.ts";
import type { SettingsOfRuns } from "./run-settings.ts";
import { working } from "./temporal.ts";

/** Read by the agents, from the default branch only: a branch could bring its own orders. */
const INSTRUCTION_FILES = ["AGENTS.md", "CLAUDE.md"];
const MAX_INSTRUCTIONS_BYTES = 50_000;

export interface GroundParts {
  forge: Forge;
  mirror: Mirror;
  artifacts: Artifacts;
  settings: SettingsOfRuns;
  installation: Installation;
  wrongClock: () => string | null;
}

export function createGround({
  forge,
  mirror,
  artifacts,
  settings,
  installation,
  wrongClock,
}: GroundParts): Pick<Activities, "openRun" | "prepareBase" | "checkPermission"> {
  return {
    openRun: ({ run, snapshot, settings: wanted, firstRunId }) =>
      working(async () => {
        await putRunNote(artifacts, installation, run, firstRunId);
        const [issue, facts, viewer] = await Promise.all([
          frozenIssue(run, snapshot),
          forge.repository(run.repository),
          forge.viewer(run.repository),
          settings.write(run, wanted),
        ]);
        const { cloneUrl, defaultBranch } = facts;
        return {
          cloneUrl,
          defaultBranch,
          private: facts.private,
          viewer,
          title: issue.title,
          issueUrl: issue.url,
          issueAuthor: issue.author,
          hiddenParts: hiddenParts(issue),
          // It has just been compared with GitHub's, by the questions above.
          wrongClock: wrongClock(),
        };
      }),

    prepareBase: ({ run, ground }) =>
      working(async ({ signal }) => {
        const commit = await mirror.fetch(run.repository, ground.cloneUrl, ground.defaultBranch, signal);
        const [paths, instructions, checks] = await Promise.all([
          mirror.paths(run.repository, commit, signal),
          mirror.files(run.repository, commit, INSTRUCTION_FILES, signal),
          readableChecks(forge, run.repository, commit),
        ]);
        const found: InstructionFile[] = [...instructions].map(([path, content]) => ({
          path,
          text: Buffer.from(content.subarray(0, MAX_INSTRUCTIONS_BYTES)).toString("utf8"),
        }));
        await Promise.all([
          putJson(artifacts, instructionsKey(run), found),
          keepCommit({ mirror, artifacts }, run, commit, null, signal),
        ]);
        const { test_command } = await settings.of(run);
        const test = test_command
          ? { command: test_command, why: "set as test_command" }
          : await detectTestCommand({
              paths,
              read: async (path) => {
                const content = (await mirror.files(run.repository, commit, [path], signal)).get(path);
                return content ? Buffer.from(content).toString("utf8") : null;
              },
            });
        return { commit, test, hasChecks: checks === null || checks.some((check) => !check.ours) };
      }),

    checkPermission: ({ run, login }) => working(() => forge.permission(run.repository, login)),
  };

  /** The first reading counts, also when the activity is repeated after somebody edited the issue. */
  async function frozenIssue(run: RunRef, snapshot: IssueSnapshot | null): Promise<IssueSnapshot> {
    const known = await findJson<IssueSnapshot>(artifacts, issueKey(run));
    if (known) return known;
    const issue = snapshot ?? (await readIssue(run));
    await putJson(artifacts, issueKey(run), issue);
    return issue;
  }

  async function readIssue(run: RunRef): Promise<IssueSnapshot> {
    const { state, isPullRequest, ...issue } = await forge.issue(run.repository, run.issue);
    const name = `${run.repository}#${run.issue}`;
    if (isPullRequest)
      throw new RequestRefused("GitHub", 422, `${name} is a pull request, not an issue. Name an issue.`);
    if (state === "closed") throw new RequestRefused("GitHub", 422, `${name} is closed. Reopen it first.`);
    return issue;
  }
}

function hiddenParts({ title, body }: IssueSnapshot): number {
  const removed = addUp([cleanLine(title).removed, cleanMarkdown(body).removed]);
  return removed.reduce((total, { count }) => total + count, 0);
}

export function issueKey(run: Pick<RunRef, "runKey">): string {
  return `${runPrefix(run.runKey)}/issue.json`;
}

export function instructionsKey(run: Pick<RunRef, "runKey">): string {
  return `${runPrefix(run.runKey)}/instructions.json`;
}
