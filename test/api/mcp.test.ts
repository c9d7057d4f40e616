import { describe, expect, test } from "vitest";
import { issueWorkflowId } from "../../domain/ids.ts";
import { call, HEAD, mcpOverApi } from "./mcp-support.ts";

const at = mcpOverApi();

describe("/mcp with the API token", () => {
  test("introduces itself and offers tools that say what they take, give and do", async () => {
    const client = await at.connect((await at.serve()).url);
    expect(client.getServerVersion()).toMatchObject({ name: "mergewright" });
    const { tools } = await client.listTools();
    const effects = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]));
    expect(effects).toMatchObject({
      search_code: { readOnlyHint: true },
      search_memory: { readOnlyHint: true },
      similar_issues: { readOnlyHint: true },
      store_memory: { readOnlyHint: false, destructiveHint: false },
      list_tasks: { readOnlyHint: true },
      task_status: { readOnlyHint: true },
      create_task: { readOnlyHint: false, destructiveHint: false },
      approve: { readOnlyHint: false, destructiveHint: true },
    });
    for (const tool of tools) {
      expect(tool.description?.length).toBeGreaterThan(20);
      expect(tool.inputSchema).toMatchObject({ type: "object", additionalProperties: false });
      expect(tool.outputSchema).toMatchObject({ type: "object" });
    }
  });

  test("starts a run, tells it, lists it, and merges the commit that was read", async () => {
    const client = await at.connect((await at.serve()).url);
    const repository = at.world.repository();
    const id = issueWorkflowId(repository, 5);
    const started = await call(client, "create_task", { repository, issue: 5, by: "ada" });
    expect(started.structuredContent).toEqual({ id, started: true });
    const again = await call(client, "create_task", { repository, issue: 5 });
    expect(again.structuredContent).toEqual({ id, started: false });

    const status = await call(client, "task_status", { id: `${repository}#5` });
    expect(status.structuredContent).toMatchObject({ id, phase: "awaiting-approval", pullRequest: { headSha: HEAD } });
    expect(status.text).toContain(HEAD);
    const listed = await call(client, "list_tasks", { limit: 200 });
    expect(listed.structuredContent).toMatchObject({
      tasks: expect.arrayContaining([expect.objectContaining({ id })]) as unknown,
    });

    const blind = await call(client, "approve", { id, by: "ada" });
    expect([blind.isError, blind.text]).toEqual([true, expect.stringContaining(`head is ${HEAD}`)]);
    const stale = await call(client, "approve", { id, by: "ada", sha: "c".repeat(40) });
    expect([stale.isError, stale.text]).toEqual([true, `${id} refused: The head has moved.`]);
    const stranger = await call(client, "approve", { id, by: "stranger", sha: HEAD });
    expect([stranger.isError, stranger.text]).toEqual([true, `${id} refused: @stranger has no permission.`]);
    const nobody = await call(client, "approve", { id, sha: HEAD });
    expect([nobody.isError, nobody.text]).toEqual([true, expect.stringContaining("by: name the GitHub login")]);
    const approved = await call(client, "approve", { id, by: "ada", sha: HEAD.toUpperCase() });
    expect(approved.structuredContent).toEqual({ id, approved: "merge", sha: HEAD, by: "ada" });
    const over = await call(client, "task_status", { id });
    expect(over.structuredContent).toMatchObject({ outcome: { kind: "merged" } });
    // It waits for nothing any more.
    const late = await call(client, "approve", { id, by: "ada", sha: HEAD });
    expect([late.isError, late.text]).toEqual([true, expect.stringContaining(id)]);
    expect(late.text).not.toContain("Something went wrong");
    const unread = await call(client, "approve", { id, by: "ada" });
    expect([unread.isError, unread.text]).toEqual([true, expect.stringContaining("name the head commit")]);
  });

  test("starts nothing in the name of somebody who may not write", async () => {
    const client = await at.connect((await at.serve()).url);
    const repository = at.world.repository();
    const refused = await call(client, "create_task", { repository, issue: 5, by: "stranger" });
    expect([refused.isError, refused.text]).toEqual([true, expect.stringContaining("write permission is needed")]);
    expect(await at.world.runs.getRun(issueWorkflowId(repository, 5))).toBeNull();
  });

  test("shows runs as resources", async () => {
    const client = await at.connect((await at.serve()).url);
    const repository = at.world.repository();
    const { structuredContent } = await call(client, "create_task", { repository, issue: 7 });
    const uri = `mergewright://runs/${(structuredContent as { id: string }).id}`;
    const { resources } = await client.listResources();
    expect(resources.map((resource) => resource.uri)).toContain(uri);
    const { contents } = await client.readResource({ uri });
    expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({ repository, issue: 7 });
    await expect(client.readResource({ uri: "mergewright://runs/issue/acme/nowhere/1" })).rejects.toThrow(
      "There is no run at mergewright://runs/issue/acme/nowhere/1.",
    );
    for (const uri of ["mergewright://runs/%zz", "mergewright://runs/%E0%A4%A"])
      await expect(client.readResource({ uri })).rejects.toMatchObject({
        code: -32002,
        message: expect.stringContaining("There is no run at") as string,
      });
  });

  test.each([
    ["store_memory", { repository: "acme/shop", text: "  ", by: "ada" }, "is empty at text"],
    ["store_memory", { repository: "acme/shop", text: "x".repeat(4_001), by: "ada" }, "at text"],
    ["search_memory", { repository: "acme", query: "total" }, "must be OWNER/NAME at repository"],
    ["search_memory", { repository: "acme/shop", query: "total", kinds: ["dream"] }, "at kinds"],
    ["similar_issues", { repository: "acme/shop", title: "total", threshold: 7 }, "at threshold"],
    ["create_task", { repository: "acme", issue: 5 }, "must be OWNER/NAME at repository"],
    ["create_task", { repository: "acme/shop" }, "at issue"],
    ["create_task", { repository: "acme/shop", issue: 1.5 }, "at issue"],
    ["create_task", { repository: "acme/shop", issue: 5, by: "a b" }, "not a GitHub login at by"],
    ["create_task", { repository: "acme/shop", issue: 5, colour: "red" }, "colour"],
    ["task_status", { id: "delivery/1" }, "not a run: write OWNER/REPO#NUMBER"],
    ["task_status", { id: "acme/nowhere#1" }, "There is no run issue/acme/nowhere/1"],
    ["approve", { id: "acme/shop#1", by: "ada", sha: "main" }, "not a full commit id at sha"],
    ["approve", { id: "acme/nowhere#1", by: "ada", sha: HEAD }, "There is no run issue/acme/nowhere/1"],
    ["list_tasks", { limit: 0 }, "at limit"],
    ["search_code", { repository: "acme/shop", query: " " }, "is empty at query"],
    ["search_code", { repository: "acme/shop", query: "x".repeat(70_000) }, "at query"],
    ["search_code", { repository: "acme/shop", query: { a: Array<number>(200).fill(1) } }, "100"],
    ["explode", {}, "explode"],
    ["constructor", {}, "constructor"],
  ])("tells a call of %s what is wrong with it (%#)", async (name, input, expected) => {
    const client = await at.connect((await at.serve()).url);
    const refused = await call(client, name, input);
    expect([refused.isError, refused.text]).toEqual([true, expect.stringContaining(expected)]);
  });
});
