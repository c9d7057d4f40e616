import { describe, expect, test } from "vitest";
import { readSlashCommand } from "../../domain/slash-command.ts";

describe("a comment commands a run", () => {
  test.each([
    ["/mergewright run", { verb: "run" }],
    ["/mergewright approve", { verb: "approve" }],
    ["/Mergewright APPROVE  ", { verb: "approve" }],
    ["/mergewright approve plan", { verb: "approve-plan" }],
    ["/mergewright Approve-Plan", { verb: "approve-plan" }],
    ["/mergewright approve\r\n\r\nThank you!", { verb: "approve" }],
    ["\n\n  /mergewright pause", { verb: "pause" }],
    ["/mergewright resume", { verb: "resume" }],
    ["/mergewright\tcancel", { verb: "cancel" }],
    ["/mergewright revise use a Map here", { verb: "revise", text: "use a Map here" }],
    ["/mergewright revise\nuse a Map here\n\nand there", { verb: "revise", text: "use a Map here\n\nand there" }],
    ["/mergewright revise first:\n- one\n- two", { verb: "revise", text: "first:\n- one\n- two" }],
    ["/mergewright reject out of scope 🙈", { verb: "reject", text: "out of scope 🙈" }],
    ["/mergewright answer نعم", { verb: "answer", text: "نعم" }],
    ["/mergewright budget 25", { verb: "budget", usd: 25 }],
    ["/mergewright budget $12.50", { verb: "budget", usd: 12.5 }],
    ["/mergewright budget 30 USD", { verb: "budget", usd: 30 }],
  ])("when it says %j", (body, command) => {
    expect(readSlashCommand(body)).toEqual({ kind: "command", command });
  });
});

describe("a comment that only talks about a command commands nothing", () => {
  test.each([
    [""],
    ["Looks good"],
    ["Please /mergewright approve"],
    ["> /mergewright approve"],
    ["> quoted\n/mergewright approve"],
    ["```\n/mergewright approve\n```"],
    ["~~~\n/mergewright approve"],
    ["    /mergewright approve"],
    ["\t/mergewright approve"],
    ["`/mergewright approve`"],
    ["- /mergewright approve"],
    ["<!-- \n/mergewright approve -->"],
    ["/mergewright-bot approve"],
    ["/mergewrightapprove"],
    ["mergewright approve"],
    ["\u200b/mergewright approve"],
  ])("when it says %j", (body) => {
    expect(readSlashCommand(body)).toEqual({ kind: "none" });
  });
});

describe("a command that cannot be understood is refused with what would be right", () => {
  test("when it says no verb, which is shown in whole characters", () => {
    const read = readSlashCommand(`/mergewright ${"x".repeat(59)}\u{1f4a5}\u{1f4a5}`);
    expect(read).toEqual({ kind: "refused", reason: expect.stringMatching(/^`x{59}\.\.\.`/) });
  });

  test.each([
    ["/mergewright", /no verb/],
    ["/mergewright merge", /`merge` is not a verb/],
    ["/mergewright approve if the tests pass", /stands alone on its line/],
    ["/mergewright approve plan now", /stands alone/],
    ["/mergewright run please", /stands alone/],
    ["/mergewright revise", /needs a text/],
    ["/mergewright reject   \n  ", /needs a text/],
    ["/mergewright budget", /amount in US dollars/],
    ["/mergewright budget lots", /amount in US dollars/],
    ["/mergewright budget 0", /amount in US dollars/],
    ["/mergewright budget -5", /amount in US dollars/],
    ["/mergewright budget 1e9", /amount in US dollars/],
    [`/mergewright ${"x".repeat(100_000)}`, /is not a verb/],
  ])("when it says %j", (body, reason) => {
    const read = readSlashCommand(body);
    expect(read).toEqual({ kind: "refused", reason: expect.stringMatching(reason) });
    expect(read.kind === "refused" && read.reason.length < 400).toBe(true);
  });
});
