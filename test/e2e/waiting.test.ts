/** A run that waits holds nothing: its sandbox is removed after a while, and built again when it is needed. About 30 s alone. */
import { expect, it } from "vitest";
import { bash } from "../../demo/model/scenario.ts";
import { ended, onStage, reaches, signal, surroundings, until } from "./support.ts";
import { shortStory } from "./short-scenario.ts";

const TITLE = "Waits for money";

it("a run that waits for money holds no sandbox, and goes on in a new one with the tree as it was", async () => {
  const { env, containers, sandbox } = surroundings();
  const seen: string[] = [];
  const scenarios = [
    shortStory({
      title: TITLE,
      before: [
        { text: "I leave a note.", uses: [bash("echo kept > note.txt; echo lost > /tmp/scratch-of-mine")] },
        { text: "I look.", uses: [bash("cat note.txt; ls /tmp/scratch-of-mine 2>&1; rm note.txt")] },
        (request) => {
          seen.push(request.lastResult);
          return { text: "Good.", uses: [bash("git status --short")] };
        },
      ],
    }),
  ];
  // Classifier, planner and the coder's first turns cost more than this.
  const settings = "limits: { budget_usd: 0.005 }\nupkeep: { sandbox_minutes: 0.02, idle_sandbox_minutes: 0.1 }\n";
  await onStage({ env, settings, scenarios }, async (stage) => {
    const { github, maintainer, author, repository } = stage;
    const { number } = await github.people.as(author).openIssue(repository, { title: TITLE, body: "59.7 s." });
    await github.people.as(maintainer).label(repository, number, "mergewright");
    let spent = 0;
    for (;;) {
      const waiting = await reaches(
        stage,
        number,
        "the budget",
        (run) => run.waitingFor?.kind === "budget" && run.costUsd > spent,
      );
      spent = waiting.costUsd;
      // Until the coder has left its note.
      if ((waiting.agents.find(({ role }) => role === "coder")?.turns ?? 0) >= 2) break;
      await signal(stage, number, "raiseBudget", { by: maintainer, usd: spent + 0.0001 });
    }
    if (sandbox === "docker") await until("no container is held", async () => (await containers()).length === 0);
    await signal(stage, number, "raiseBudget", { by: maintainer, usd: 10 });
    const waiting = await reaches(stage, number, "approval", (run) => run.waitingFor?.kind === "approval");
    if (sandbox === "docker") {
      expect(seen.join()).toContain("kept");
      expect(seen.join()).toContain("No such file");
      await until("no container is held", async () => (await containers()).length === 0);
    }
    await signal(stage, number, "approveMerge", { by: maintainer, sha: waiting.pullRequest!.headSha });
    expect((await ended(stage, number)).outcome?.kind).toBe("merged");
    expect(stage.model!.ledger.read().totals).toMatchObject({ paidTwice: 0 });
  });
}, 300_000);
